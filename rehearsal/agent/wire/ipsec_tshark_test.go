package wire

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// tsharkESP is what tshark tells of an ESP packet.
type tsharkESP struct {
	spi      uint64
	sequence uint64
	from     string
	// payload is that of the TCP segment inside, where tshark could decrypt it.
	payload string
}

// askTshark gives the ESP packets of a file, decrypted with one direction's key.
func askTshark(t *testing.T, file string, question scapyQuestion, key []byte) []tsharkESP {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		cannotRun(t, "needs tshark, which is another implementation of ESP: apt-get install tshark")
	}
	// The last two fields are for newer versions; version 4.0 warns that it discards them, and does without.
	association := fmt.Sprintf(
		`uat:esp_sa:"IPv4","%s","%s","0x%08x","AES-GCM with 16 octet ICV [RFC4106]","0x%x","NULL","","64-bit","0"`,
		question.Sender, question.Receiver, question.SPI, key,
	)
	output, err := exec.Command("tshark", "-r", file, "-o", "esp.enable_encryption_decode:TRUE", "-o", association, "-Y", "esp",
		"-T", "fields", "-E", "separator=,", "-E", "occurrence=f", "-e", "esp.spi", "-e", "esp.sequence", "-e", "ip.src", "-e", "tcp.payload").Output()
	must(t, err)
	var packets []tsharkESP
	for line := range strings.Lines(string(output)) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		if len(fields) != 4 {
			t.Fatalf("tshark says %q", line)
		}
		spi, err := strconv.ParseUint(fields[0], 0, 32)
		must(t, err)
		sequence, err := strconv.ParseUint(fields[1], 10, 32)
		must(t, err)
		packets = append(packets, tsharkESP{spi, sequence, fields[2], fields[3]})
	}
	return packets
}

func TestTsharkReadsOurIPsecWithTheKeyOnly(t *testing.T) {
	for _, length := range []int{20, 36} {
		const text = "for tshark's eyes"
		key := ipsecKey(3, length)
		sender, receiver, file := espOnTheWire(t, key, text)
		question := askingScapy(sender, receiver, key)
		right := question.key(t)
		wrong := append([]byte{^right[0]}, right[1:]...)
		for _, c := range []struct {
			name  string
			key   []byte
			reads bool
		}{{"the key", right, true}, {"another key", wrong, false}} {
			packets, last, read := askTshark(t, file, question, c.key), map[string]uint64{}, false
			for _, packet := range packets {
				if packet.spi != 3 || packet.sequence != last[packet.from]+1 {
					t.Errorf("%s: after number %d comes %+v", c.name, last[packet.from], packet)
				}
				last[packet.from] = packet.sequence
				read = read || packet.payload == hex.EncodeToString([]byte(text))
			}
			if len(last) != 2 || read != c.reads {
				t.Errorf("%s: %d packets from %d nodes; tshark reads the text: %v", c.name, len(packets), len(last), read)
			}
		}
	}
}
