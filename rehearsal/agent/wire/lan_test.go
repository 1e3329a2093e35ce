package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// newTestLAN makes nodes node1, node2, ... with the addresses 172.30.0.1 and on, the pod CIDRs 10.244.1.0/24 and on.
func newTestLAN(t *testing.T, nodes int) *LAN {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	lan, err := NewLAN()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lan.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := 1; i <= nodes; i++ {
		if _, err := lan.AddNode(nodeName(i), netip.MustParsePrefix(fmt.Sprintf("172.30.0.%d/16", i)), netip.MustParsePrefix(fmt.Sprintf("10.244.%d.0/24", i))); err != nil {
			t.Fatal(err)
		}
	}
	return lan
}

func nodeName(i int) string { return fmt.Sprintf("node%d", i) }

// peersOf tells node i of all others.
func peersOf(lan *LAN, self string) []Peer {
	var peers []Peer
	for name, node := range lan.nodes {
		if name != self {
			peers = append(peers, Peer{Name: name, IP: node.address.Addr(), PodCIDRs: []netip.Prefix{node.podCIDR}, EncryptsNodes: true})
		}
	}
	return peers
}

func applyToAll(t *testing.T, lan *LAN, datapath Datapath) {
	t.Helper()
	for name, node := range lan.nodes {
		datapath.Peers = peersOf(lan, name)
		if err := node.Apply(datapath); err != nil {
			t.Fatal(err)
		}
	}
}

func addPod(t *testing.T, lan *LAN, node int, id string) *Pod {
	t.Helper()
	pod, err := lan.Node(nodeName(node)).AddPod(id)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

// serveEcho answers each UDP packet and each TCP line at port 7000 of a namespace with itself.
func serveEcho(t *testing.T, n *Namespace) {
	t.Helper()
	var listener net.Listener
	var packets net.PacketConn
	if err := n.Do(func() (err error) {
		if listener, err = net.Listen("tcp4", ":7000"); err != nil {
			return err
		}
		packets, err = net.ListenPacket("udp4", ":7000")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close(); packets.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				buffer := make([]byte, 65536)
				for {
					size, err := connection.Read(buffer)
					if err != nil {
						return
					}
					_, _ = connection.Write(buffer[:size])
				}
			}()
		}
	}()
	go func() {
		buffer := make([]byte, 65536)
		for {
			size, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buffer[:size], from)
		}
	}()
}

// echo sends a text from a namespace and wants it back.
func echo(n *Namespace, network string, to netip.Addr, text string, timeout time.Duration) error {
	var connection net.Conn
	if err := n.Do(func() (err error) {
		connection, err = net.DialTimeout(network, netip.AddrPortFrom(to, 7000).String(), timeout)
		return err
	}); err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(timeout))
	if _, err := connection.Write([]byte(text)); err != nil {
		return err
	}
	buffer := make([]byte, 65536)
	size := 0
	for size < len(text) {
		more, err := connection.Read(buffer[size:])
		if err != nil {
			return err
		}
		size += more
	}
	if string(buffer[:size]) != text {
		return errors.New("something else came back")
	}
	return nil
}

const shortly = 150 * time.Millisecond

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func TestPodsOfTwoNodesTalk(t *testing.T) {
	for _, tunnel := range []bool{true, false} {
		t.Run(fmt.Sprintf("tunnel=%v", tunnel), func(t *testing.T) {
			lan := newTestLAN(t, 2)
			a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
			serveEcho(t, b.Namespace())
			if err := echo(a.Namespace(), "udp4", b.IP(), "too early", shortly); err == nil {
				t.Error("packets travel before there is a datapath")
			}
			applyToAll(t, lan, Datapath{Tunnel: tunnel})
			for _, network := range []string{"tcp4", "udp4"} {
				if err := echo(a.Namespace(), network, b.IP(), "marker", time.Second); err != nil {
					t.Errorf("%s: %v", network, err)
				}
			}
		})
	}
}
