package wire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// boringtun is Cloudflare's WireGuard in Rust, which shares no code with the library that we use.
type boringtun struct {
	device string
	socket string // its UAPI: wireguard.com/xplatform
}

// startBoringtun runs it on the side, which knows the other as a peer.
func startBoringtun(t *testing.T, side, other wireguardSide) boringtun {
	t.Helper()
	program, err := exec.LookPath("boringtun-cli")
	if err != nil {
		cannotRun(t, "boringtun-cli is not on PATH (make test brings it where there is cargo)")
	}
	// The socket's folder is shared by all namespaces of the machine, so the device has a name of its own.
	b := boringtun{device: fmt.Sprintf("wgb%d", os.Getpid())}
	b.socket = filepath.Join("/var/run/wireguard", b.device+".sock")
	var said bytes.Buffer
	command := exec.Command(program, "--foreground", "--disable-drop-privileges", "--threads", "1", b.device)
	command.Stdout, command.Stderr = &said, &said
	must(t, side.Start(command))
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
		os.Remove(b.socket)
		if t.Failed() {
			t.Logf("boringtun said: %s", said.String())
		}
	})
	config := configOf(Datapath{PrivateKey: side.private, Peers: []Peer{other.self}}).since(wireguardConfig{})
	for deadline := time.Now().Add(soon); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := b.asks(fmt.Sprintf("set=1\nlisten_port=%d\n%s\n", wireguardPort, config)); err == nil {
			if answer != "errno=0\n\n" {
				t.Fatalf("boringtun refuses its configuration: %q", answer)
			}
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	must(t, side.Do(func() error {
		link, err := netlink.LinkByName(b.device)
		if err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	}))
	side.routeThrough(t, b.device, other)
	return b
}

func (b boringtun) asks(request string) (string, error) {
	connection, err := net.Dial("unix", b.socket)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(soon))
	if _, err := connection.Write([]byte(request)); err != nil {
		return "", err
	}
	answer := make([]byte, 0, 4096)
	for !bytes.HasSuffix(answer, []byte("\n\n")) {
		size, err := connection.Read(answer[len(answer):cap(answer)])
		answer = answer[:len(answer)+size]
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
	}
	return string(answer), nil
}

func (b boringtun) stats(t *testing.T) map[[32]byte]WireguardStats {
	t.Helper()
	answer, err := b.asks("get=1\n\n")
	must(t, err)
	return parseWireguardStats(answer)
}

func TestWireguardSpeaksWithBoringtun(t *testing.T) {
	for _, first := range []string{"ours", "boringtun"} {
		t.Run(first+" begins", func(t *testing.T) {
			a, b := newWireguardPair(t)
			ours, theirs := a.encrypt(t, b), startBoringtun(t, b, a)
			wire := a.record(t)
			a.echo(t)
			b.echo(t)
			says := []func() error{
				func() error { return a.says("from ours", b, soon) },
				func() error { return b.says("from theirs", a, soon) },
			}
			initiator := a
			if first == "boringtun" {
				says[0], says[1], initiator = says[1], says[0], b
			}
			must(t, says[0]())
			if messages := wire.messages(); len(messages) < 2 || messages[0] != (wireguardMessage{initiator.self.IP, 1}) || messages[1].kind != 2 {
				t.Errorf("not first %v's initiation, then a response: %v", initiator.self.IP, messages)
			}
			before := [2]WireguardStats{ours.stats().Wireguard[b.self.PublicKey], theirs.stats(t)[a.self.PublicKey]}
			must(t, says[1]())
			after := [2]WireguardStats{ours.stats().Wireguard[b.self.PublicKey], theirs.stats(t)[a.self.PublicKey]}
			for i, name := range []string{"ours", "boringtun"} {
				if before[i].Rx == 0 || before[i].Tx == 0 || after[i].Rx <= before[i].Rx || after[i].Tx <= before[i].Tx {
					t.Errorf("counters of %s do not advance: %+v, then %+v", name, before[i], after[i])
				}
				if after[i].LastHandshake.IsZero() {
					t.Errorf("%s knows of no handshake", name)
				}
			}
			if wire.shows("from ours") || wire.shows("from theirs") {
				t.Error("an encrypted text passed in clear")
			}
		})
	}
}

func TestWireguardDoesNotSpeakWithAWrongKey(t *testing.T) {
	a, b := newWireguardPair(t)
	ours := a.encrypt(t, b)
	another, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	liar := b
	liar.private = [32]byte(another.Bytes())
	startBoringtun(t, liar, a)
	wire := a.record(t)
	a.echo(t)
	b.echo(t)
	if a.says("out", b, never) == nil || b.says("in", a, never) == nil {
		t.Error("traffic passes with a wrong key")
	}
	initiators := map[wireguardMessage]bool{}
	for _, message := range wire.messages() {
		initiators[message] = true
		if message.kind != 1 {
			t.Errorf("something else than initiations: %v", message)
		}
	}
	if len(initiators) != 2 {
		t.Errorf("both sides should have tried: %v", initiators)
	}
	if stats := ours.stats().Wireguard[b.self.PublicKey]; stats.Rx != 0 || !stats.LastHandshake.IsZero() {
		t.Errorf("the peer with the wrong key counts as heard: %+v", stats)
	}
}
