package wire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cannotRun skips a test with the reason. In CI nothing may be skipped, so there it fails.
func cannotRun(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("in CI this must run: " + reason)
	}
	t.Skip(reason)
}

// wireguardSide is one of two nodes on one cable, each with a pod address of its own.
type wireguardSide struct {
	*Namespace
	private [32]byte
	self    Peer
	pod     netip.Addr
}

func newWireguardPair(t *testing.T) (wireguardSide, wireguardSide) {
	t.Helper()
	if os.Geteuid() != 0 {
		cannotRun(t, "needs root, for network namespaces")
	}
	var sides [2]wireguardSide
	for i := range sides {
		namespace, err := newNamespace()
		must(t, err)
		t.Cleanup(func() { namespace.Close() })
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		must(t, err)
		self := wireguardPeerOf(fmt.Sprintf("node-%d", i+1), byte(i+1))
		self.PublicKey = [32]byte(private.PublicKey().Bytes())
		sides[i] = wireguardSide{namespace, [32]byte(private.Bytes()), self, self.PodCIDRs[0].Addr().Next()}
	}
	must(t, sides[0].Do(func() error {
		return netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: "eth0", PeerNamespace: netlink.NsFd(sides[1].file.Fd()),
		})
	}))
	for _, side := range sides {
		must(t, side.Do(func() error {
			return hasAddress("eth0", netip.PrefixFrom(side.self.IP, 16))
		}))
		must(t, side.Do(func() error { return hasAddress("lo", netip.PrefixFrom(side.pod, 32)) }))
	}
	return sides[0], sides[1]
}

func hasAddress(device string, address netip.Prefix) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	parsed, err := netlink.ParseAddr(address.String())
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, parsed); err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// routeThrough sends what is for the other's pods to a device, from the side's own pod address.
func (s wireguardSide) routeThrough(t *testing.T, device string, other wireguardSide) {
	t.Helper()
	must(t, s.Do(func() error {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		_, destination, err := net.ParseCIDR(other.self.PodCIDRs[0].String())
		if err != nil {
			return err
		}
		return netlink.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: destination, Src: net.IP(s.pod.AsSlice())})
	}))
}

// encrypt starts our WireGuard on the side, which knows the other as a peer.
func (s wireguardSide) encrypt(t *testing.T, other wireguardSide) encryptor {
	t.Helper()
	encryptor, err := newWireguard(s.Namespace)
	must(t, err)
	t.Cleanup(func() { must(t, encryptor.close()) })
	must(t, encryptor.update(s.knowing(other.self)))
	s.routeThrough(t, encryptor.device(), other)
	return encryptor
}

func (s wireguardSide) knowing(peers ...Peer) (Datapath, []Fault) {
	return Datapath{Encryption: Wireguard, PrivateKey: s.private, Peers: peers}, nil
}

const echoPort = 7000

// echo answers TCP with what it hears.
func (s wireguardSide) echo(t *testing.T) {
	t.Helper()
	var listener net.Listener
	must(t, s.Do(func() (err error) {
		listener, err = net.Listen("tcp4", netip.AddrPortFrom(s.pod, echoPort).String())
		return err
	}))
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				io.Copy(connection, connection)
			}()
		}
	}()
}

// says sends a text to the other's pod over TCP, and fails where it does not come back in time.
func (s wireguardSide) says(text string, other wireguardSide, within time.Duration) error {
	return s.Do(func() error {
		connection, err := net.DialTimeout("tcp4", netip.AddrPortFrom(other.pod, echoPort).String(), within)
		if err != nil {
			return err
		}
		defer connection.Close()
		connection.SetDeadline(time.Now().Add(within))
		if _, err := connection.Write([]byte(text)); err != nil {
			return err
		}
		back := make([]byte, len(text))
		_, err = io.ReadFull(connection, back)
		if err == nil && string(back) != text {
			err = fmt.Errorf("%q came back as %q", text, back)
		}
		return err
	})
}

// recording is what passed a device, both ways.
type recording struct {
	socket *os.File
	mutex  sync.Mutex
	frames [][]byte
}

func (s wireguardSide) record(t *testing.T) *recording {
	t.Helper()
	return recordDevice(t, s.Namespace, "eth0")
}

// all are the frames up to now; those in flight get a moment to arrive.
func (r *recording) all() [][]byte {
	time.Sleep(50 * time.Millisecond)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.frames[:len(r.frames):len(r.frames)]
}

func (r *recording) shows(text string) bool {
	for _, frame := range r.all() {
		if bytes.Contains(frame, []byte(text)) {
			return true
		}
	}
	return false
}

// messages are the WireGuard messages in it: source address and type.
func (r *recording) messages() []wireguardMessage {
	var messages []wireguardMessage
	for _, frame := range r.all() {
		const ethernet, ip, udp = 14, 20, 8
		if len(frame) < ethernet+ip+udp+4 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || frame[ethernet+9] != unix.IPPROTO_UDP {
			continue
		}
		packet := frame[ethernet:]
		if binary.BigEndian.Uint16(packet[ip+2:]) == wireguardPort {
			messages = append(messages, wireguardMessage{netip.AddrFrom4([4]byte(packet[12:16])), packet[ip+udp]})
		}
	}
	return messages
}

type wireguardMessage struct {
	from netip.Addr
	kind byte
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
