package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wirecloak/rehearsal/agent/wire/esp"
)

// scapyQuestion is what testdata/scapy_esp.py takes.
type scapyQuestion struct {
	Command        string     `json:"command"`
	PreShared      string     `json:"preShared"`
	Sender         netip.Addr `json:"sender"`
	Receiver       netip.Addr `json:"receiver"`
	SenderBootID   string     `json:"senderBootID"`
	ReceiverBootID string     `json:"receiverBootID"`
	SPI            uint32     `json:"spi"`
	ESN            bool       `json:"esn"`
	Pcap           string     `json:"pcap,omitempty"`
	Packets        []string   `json:"packets,omitempty"`
}

type scapyAnswer struct {
	SPI      uint32 `json:"spi"`
	Sequence uint64 `json:"sequence"`
	Packet   string `json:"packet"`
	Error    string `json:"error"`
}

func askingScapy(sender, receiver Peer, key IPsecKey) scapyQuestion {
	return scapyQuestion{
		PreShared: hex.EncodeToString(key.Material), SPI: key.SPI, ESN: true,
		Sender: sender.IP, Receiver: receiver.IP, SenderBootID: sender.BootID, ReceiverBootID: receiver.BootID,
	}
}

func (q scapyQuestion) key(t *testing.T) []byte {
	t.Helper()
	preShared, err := hex.DecodeString(q.PreShared)
	must(t, err)
	key, err := esp.TunnelKey(preShared, q.Sender, q.Receiver, q.SenderBootID, q.ReceiverBootID)
	must(t, err)
	return key
}

// askScapy gives the answers to each question.
func askScapy(t *testing.T, questions ...scapyQuestion) [][]scapyAnswer {
	t.Helper()
	text, err := json.Marshal(questions)
	must(t, err)
	scapy := exec.Command(pythonWithScapy(t), "testdata/scapy_esp.py")
	var complaints strings.Builder
	scapy.Stdin, scapy.Stderr = bytes.NewReader(text), &complaints
	output, err := scapy.Output()
	if err != nil {
		t.Fatalf("scapy: %v\n%s", err, complaints.String())
	}
	var answers [][]scapyAnswer
	must(t, json.Unmarshal(output, &answers))
	return answers
}

func pythonWithScapy(t *testing.T) string {
	t.Helper()
	python := findScapy()
	if python == "" {
		cannotRun(t, "needs scapy, which is another implementation of ESP: apt-get install python3-scapy")
	}
	return python
}

// findScapy gives the first interpreter that has it: Debian's packages are not seen by another Python ahead on PATH.
var findScapy = sync.OnceValue(func() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import scapy.layers.ipsec, cryptography").Run() == nil {
			return python
		}
	}
	return ""
})

// write makes a pcap file of the recording.
func (r *recording) write(t *testing.T) string {
	t.Helper()
	const ethernet = 1
	return pcap(t, ethernet, r.all())
}

func pcap(t *testing.T, link uint32, frames [][]byte) string {
	t.Helper()
	var file bytes.Buffer
	for _, field := range []any{uint32(0xa1b2c3d4), uint16(2), uint16(4), uint64(0), uint32(1 << 16), link} {
		must(t, binary.Write(&file, binary.LittleEndian, field))
	}
	for i, frame := range frames {
		must(t, binary.Write(&file, binary.LittleEndian, []uint32{uint32(i), 0, uint32(len(frame)), uint32(len(frame))}))
		file.Write(frame)
	}
	path := filepath.Join(t.TempDir(), "wire.pcap")
	must(t, os.WriteFile(path, file.Bytes(), 0o600))
	return path
}

// espOnTheWire are some packets of our IPsec between two namespaces, which carry the text.
func espOnTheWire(t *testing.T, key IPsecKey, text string) (sender, receiver Peer, file string) {
	t.Helper()
	a, b := newIPsecPair(t)
	wire := a.record(t)
	a.encrypt(t, b, key)
	b.encrypt(t, a, key)
	must(t, a.says(text, b.wireguardSide, soon))
	return a.announcing(key.SPI), b.announcing(key.SPI), wire.write(t)
}

func TestScapyOpensWhatOurIPsecPutsOnTheWire(t *testing.T) {
	for _, length := range []int{20, 36} {
		key := ipsecKey(3, length)
		sender, receiver, file := espOnTheWire(t, key, "for scapy's eyes")
		question := askingScapy(sender, receiver, key)
		question.Command, question.Pcap = "open", file
		wrong, swapped, narrow := question, question, question
		wrong.PreShared = strings.Repeat("99", length)
		swapped.SenderBootID, swapped.ReceiverBootID = question.ReceiverBootID, question.SenderBootID
		narrow.ESN = false
		answers, found := askScapy(t, question, wrong, swapped, narrow), false
		for i, answer := range answers[0] {
			packet, err := hex.DecodeString(answer.Packet)
			if err != nil || answer.Error != "" || answer.SPI != 3 || answer.Sequence != uint64(i+1) || len(packet) == 0 {
				t.Errorf("packet %d: %+v", i+1, answer)
			}
			found = found || bytes.Contains(packet, []byte("for scapy's eyes"))
		}
		if !found {
			t.Errorf("scapy does not find the text in %+v", answers[0])
		}
		for i, control := range []string{"another key", "boot ids the wrong way round", "no extended numbers"} {
			refused := 0
			for _, answer := range answers[i+1] {
				if answer.Error != "" && answer.Packet == "" {
					refused++
				}
			}
			if refused != len(answers[0]) {
				t.Errorf("%s: of %d packets scapy refuses %d", control, len(answers[0]), refused)
			}
		}
	}
}

func TestOurIPsecOpensWhatScapySeals(t *testing.T) {
	a, b := newIPsecPair(t)
	key := ipsecKey(3, 36)
	theirs := b.encrypt(t, a, key)
	question := askingScapy(a.announcing(3), b.announcing(3), key)
	question.Command = "seal"
	for _, text := range []string{"one from scapy", "two"} {
		question.Packets = append(question.Packets, hex.EncodeToString(scapysPacket(a.pod, b.pod, text)))
	}
	var listener net.PacketConn
	must(t, b.Do(func() (err error) {
		listener, err = net.ListenPacket("udp4", netip.AddrPortFrom(b.pod, echoPort).String())
		return err
	}))
	defer listener.Close()
	socket, err := openESP(a.Namespace, a.self.IP)
	must(t, err)
	defer socket.Close()
	// deliver sends scapy's packets, and gives what arrives inside the other node.
	deliver := func(answers []scapyAnswer) (texts []string) {
		for _, answer := range answers {
			packet, err := hex.DecodeString(answer.Packet)
			must(t, err)
			_, err = socket.WriteToIP(packet, &net.IPAddr{IP: b.self.IP.AsSlice()})
			must(t, err)
		}
		buffer := make([]byte, 2048)
		for {
			must(t, listener.SetReadDeadline(time.Now().Add(shortly)))
			size, _, err := listener.ReadFrom(buffer)
			if err != nil {
				return texts
			}
			texts = append(texts, string(buffer[:size]))
		}
	}
	expect := func(name string, texts, want []string, counted map[string]int64) {
		t.Helper()
		if fmt.Sprint(texts) != fmt.Sprint(want) || fmt.Sprint(theirs.stats().Errors) != fmt.Sprint(counted) {
			t.Errorf("%s: %q arrived and %v is counted, where %q and %v were expected", name, texts, theirs.stats().Errors, want, counted)
		}
	}
	wrong, narrow := question, question
	wrong.PreShared = strings.Repeat("99", 36)
	narrow.ESN = false
	answers := askScapy(t, wrong, narrow, question)
	expect("another key", deliver(answers[0]), nil, map[string]int64{"InStateProtoError": 2})
	expect("no extended numbers", deliver(answers[1]), nil, map[string]int64{"InStateProtoError": 4})
	expect("the right ones", deliver(answers[2]), []string{"one from scapy", "two"}, map[string]int64{"InStateProtoError": 4})
	expect("the same again", deliver(answers[2]), nil, map[string]int64{"InStateProtoError": 4, "InStateSeqError": 2})
}

// Cilium extends all sequence numbers; but the protocol knows the others too, and so do we.
func TestScapyAndWeAgreeWithoutExtendedNumbers(t *testing.T) {
	a, b := ipsecPeerOf(1, 3), ipsecPeerOf(2, 3)
	question := askingScapy(a, b, ipsecKey(3, 28))
	question.ESN = false
	packet := scapysPacket(netip.MustParseAddr("10.244.1.1"), netip.MustParseAddr("10.244.2.1"), "narrow")
	out, err := esp.NewOutbound(3, question.key(t), esp.Options{})
	must(t, err)
	in, err := esp.NewInbound(3, question.key(t), esp.Options{})
	must(t, err)

	sealed, err := out.Seal(packet)
	must(t, err)
	const ipv4 = 228
	toOpen, toSeal := question, question
	toOpen.Command, toOpen.Pcap = "open", pcap(t, ipv4, [][]byte{ipHeader(a.IP, b.IP, 50, sealed)})
	toSeal.Command, toSeal.Packets = "seal", []string{hex.EncodeToString(packet)}
	answers := askScapy(t, toOpen, toSeal)
	if len(answers[0]) != 1 || answers[0][0].Packet != hex.EncodeToString(packet) {
		t.Errorf("scapy opens %+v", answers[0])
	}
	answer, err := hex.DecodeString(answers[1][0].Packet)
	must(t, err)
	if opened, err := in.Open(answer); err != nil || !bytes.Equal(opened, packet) {
		t.Errorf("we open %x (%v)", opened, err)
	}
}

func scapysPacket(from, to netip.Addr, text string) []byte {
	datagram := binary.BigEndian.AppendUint16(nil, 40000)
	datagram = binary.BigEndian.AppendUint16(datagram, echoPort)
	datagram = binary.BigEndian.AppendUint16(datagram, uint16(8+len(text)))
	// Checksum 0: there is none.
	return ipHeader(from, to, 17, append(append(datagram, 0, 0), text...))
}

// ipHeader puts one before the payload.
func ipHeader(from, to netip.Addr, protocol byte, payload []byte) []byte {
	packet := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0}
	binary.BigEndian.PutUint16(packet[2:], uint16(20+len(payload)))
	packet = append(append(packet, from.AsSlice()...), to.AsSlice()...)
	sum := uint32(0)
	for i := 0; i < len(packet); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	binary.BigEndian.PutUint16(packet[10:], ^uint16(sum>>16+sum&0xffff))
	return append(packet, payload...)
}
