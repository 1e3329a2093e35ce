package wire

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// newScrambledLAN makes one whose nodes encrypt with scramblers.
func newScrambledLAN(t *testing.T, nodes int) *LAN {
	t.Helper()
	lan := newTestLAN(t, nodes)
	lan.newEncryptor = newScrambler
	return lan
}

// newTestLAN makes nodes node1, node2, ... with the addresses 172.30.0.1 and on, the pod CIDRs 10.244.1.0/24 and on.
func newTestLAN(t *testing.T, nodes int) *LAN {
	t.Helper()
	if err := Available(); err != nil {
		cannotRun(t, err.Error())
	}
	lan, err := NewLAN()
	must(t, err)
	t.Cleanup(func() { must(t, lan.Close()) })
	for i := 1; i <= nodes; i++ {
		_, err := lan.AddNode(nodeName(i), netip.MustParsePrefix(fmt.Sprintf("172.30.0.%d/16", i)), netip.MustParsePrefix(fmt.Sprintf("10.244.%d.0/24", i)))
		must(t, err)
	}
	return lan
}

func nodeName(i int) string { return fmt.Sprintf("node%d", i) }

// peersOf are all nodes but one.
func peersOf(lan *LAN, self string) []Peer {
	var peers []Peer
	for name, node := range lan.nodes {
		if name != self {
			peers = append(peers, Peer{
				Name: name, IP: node.address.Addr(), PodCIDRs: []netip.Prefix{node.podCIDR}, EncryptsNodes: true,
				PublicKey: [32]byte(keyOf(name).PublicKey().Bytes()), SPI: 3, BootID: bootIDOf(name),
			})
		}
	}
	return peers
}

// keyOf is the WireGuard key of a node, the same each time.
func keyOf(node string) *ecdh.PrivateKey {
	digest := sha256.Sum256([]byte(node))
	key, err := ecdh.X25519().NewPrivateKey(digest[:])
	if err != nil {
		panic(err) // any 32 bytes are a key
	}
	return key
}

func bootIDOf(node string) string { return fmt.Sprintf("%-36s", node) }

// applyToAll applies a datapath to all nodes one after the other, with keys and peers filled in.
func applyToAll(t *testing.T, lan *LAN, datapath Datapath) {
	t.Helper()
	datapath.Keys = []IPsecKey{{SPI: 3, Material: []byte("sixteen byte key and salt")[:20]}}
	for name, node := range lan.nodes {
		datapath.Peers, datapath.PrivateKey, datapath.BootID = peersOf(lan, name), [32]byte(keyOf(name).Bytes()), bootIDOf(name)
		must(t, node.Apply(datapath))
	}
}

func addPod(t *testing.T, lan *LAN, node int, id string) *Pod {
	t.Helper()
	pod, err := lan.Node(nodeName(node)).AddPod(id)
	must(t, err)
	return pod
}

// serveEcho answers TCP and UDP at a port of a namespace with what it hears.
func serveEcho(t *testing.T, namespace *Namespace) {
	t.Helper()
	var listener net.Listener
	var packets net.PacketConn
	must(t, namespace.Do(func() (err error) {
		if listener, err = net.Listen("tcp4", fmt.Sprintf(":%d", echoPort)); err != nil {
			return err
		}
		packets, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", echoPort))
		return err
	}))
	t.Cleanup(func() { listener.Close(); packets.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			size, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buffer[:size], from)
		}
	}()
}

// inTime is for what is to come back; shortly for what is not.
const (
	inTime  = 2 * time.Second
	shortly = 150 * time.Millisecond
)

// echo sends a text from a namespace and wants it back.
func echo(from *Namespace, network string, to netip.Addr, text string, within time.Duration) error {
	var connection net.Conn
	if err := from.Do(func() (err error) {
		connection, err = net.DialTimeout(network, netip.AddrPortFrom(to, echoPort).String(), within)
		return err
	}); err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(within))
	sent := make(chan error, 1)
	go func() {
		_, err := connection.Write([]byte(text))
		sent <- err
	}()
	back := make([]byte, len(text))
	if _, err := io.ReadFull(connection, back); err != nil {
		return err
	}
	if string(back) != text {
		return fmt.Errorf("%q came back as %q", text, back)
	}
	return <-sent
}

// mustEcho wants TCP and UDP to come back.
func mustEcho(t *testing.T, from *Namespace, to netip.Addr, text string) {
	t.Helper()
	for _, network := range []string{"udp4", "tcp4"} {
		if err := echo(from, network, to, text, inTime); err != nil {
			t.Errorf("%s to %s by %s: %v", text, to, network, err)
		}
	}
}

// recordBridge records what the LAN's bridge sees, which is what passes between nodes.
func recordBridge(t *testing.T, lan *LAN) *recording {
	t.Helper()
	return recordDevice(t, lan.namespace, Bridge)
}

// recordDevice records all that passes a device, whomever it is for.
func recordDevice(t *testing.T, namespace *Namespace, device string) *recording {
	t.Helper()
	recording := &recording{}
	must(t, namespace.Do(func() error {
		link, err := netlink.LinkByName(device)
		if err != nil {
			return err
		}
		all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
		socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(all))
		if err != nil {
			return err
		}
		recording.socket = os.NewFile(uintptr(socket), "recording")
		index := link.Attrs().Index
		if err := unix.SetsockoptPacketMreq(socket, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}); err != nil {
			return err
		}
		return unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: index, Protocol: all})
	}))
	t.Cleanup(func() { recording.socket.Close() })
	go func() {
		buffer := make([]byte, 1<<17)
		for {
			size, err := recording.socket.Read(buffer)
			if err != nil {
				return
			}
			recording.mutex.Lock()
			recording.frames = append(recording.frames, append([]byte(nil), buffer[:size]...))
			recording.mutex.Unlock()
		}
	}()
	return recording
}

// devices are the names of all in a namespace.
func devices(t *testing.T, handle *netlink.Handle) string {
	t.Helper()
	links, err := handle.LinkList()
	must(t, err)
	var names []string
	for _, link := range links {
		names = append(names, link.Attrs().Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
