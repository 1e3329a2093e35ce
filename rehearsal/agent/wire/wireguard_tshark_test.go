package wire

import (
	"encoding/base64"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// askTsharkForWireguard gives what tshark takes for WireGuard in a file, a line for each packet: source, type (1 initiation,
// 2 response, 4 data), counter, and where it can open an initiation with the private key, who sent it.
func askTsharkForWireguard(t *testing.T, file string, private [32]byte) []string {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		cannotRun(t, "needs tshark, which is another implementation of WireGuard: apt-get install tshark")
	}
	key := fmt.Sprintf(`uat:wg_keys:"Private","%s"`, base64.StdEncoding.EncodeToString(private[:]))
	output, err := exec.Command("tshark", "-r", file, "-o", key, "-Y", "wg", "-T", "fields", "-E", "separator= ",
		"-e", "ip.src", "-e", "wg.type", "-e", "wg.counter", "-e", "wg.static").Output()
	must(t, err)
	var packets []string
	for line := range strings.Lines(string(output)) {
		packets = append(packets, strings.TrimSpace(line))
	}
	return packets
}

func TestTsharkTakesOurPacketsForWireguard(t *testing.T) {
	a, b := newWireguardPair(t)
	wire := a.record(t)
	b.echo(t)
	a.encrypt(t, b)
	b.encrypt(t, a)
	must(t, a.says("for tshark's eyes", b, soon))
	file := wire.write(t)

	sender := base64.StdEncoding.EncodeToString(a.self.PublicKey[:])
	packets := askTsharkForWireguard(t, file, b.private)
	begins := []string{"172.30.0.1 1  " + sender, "172.30.0.2 2", "172.30.0.1 4 0"}
	if len(packets) < len(begins) || !slices.Equal(packets[:len(begins)], begins) {
		t.Fatalf("it does not begin with %q: %q", begins, packets)
	}
	next := map[string]int{}
	for _, packet := range packets[2:] {
		source, _, _ := strings.Cut(packet, " ")
		if want := fmt.Sprintf("%s 4 %d", source, next[source]); packet != want {
			t.Errorf("%q where %q should be", packet, want)
		}
		next[source]++
	}
	if len(next) != 2 {
		t.Errorf("data of %d nodes: %q", len(next), packets)
	}
	if opened := askTsharkForWireguard(t, file, a.private)[0]; strings.Contains(opened, sender) {
		t.Errorf("tshark opens an initiation without the receiver's key: %q", opened)
	}
}
