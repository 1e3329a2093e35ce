package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a packet between pods looks like between two nodes.
const (
	inClear   = "plain"
	encrypted = "encrypted"
	nothing   = "none"
	// Where the packet arrives too.
	andArrives = " and arrives"
)

// Two nodes while the encryption changes: the new one's agent runs on the configuration after, the old one's on that before.
// unseen is the old one before it has seen the new one's CiliumNode.
var mixedStates = []struct {
	before, after Encryption
	tunnel        bool
	newToOld      string
	unseen, seen  string // old to new
}{
	{Plain, Wireguard, false, inClear + andArrives, inClear + andArrives, inClear + andArrives},
	{Plain, Wireguard, true, nothing, inClear + andArrives, inClear + andArrives},
	{Plain, IPsec, false, inClear + andArrives, inClear + andArrives, inClear + andArrives},
	{Plain, IPsec, true, nothing, inClear + andArrives, inClear + andArrives},
	// Whatever key the peer announces, a node takes its own encryption: WireGuard has no such peer, and IPsec's packets are nobody's.
	{IPsec, Wireguard, false, nothing, encrypted, encrypted},
	{IPsec, Wireguard, true, nothing, encrypted, encrypted},
	{Wireguard, IPsec, false, encrypted, encrypted, nothing},
	{Wireguard, IPsec, true, encrypted, encrypted, nothing},
	{Wireguard, Plain, false, inClear + andArrives, encrypted, inClear + andArrives},
	{Wireguard, Plain, true, inClear + andArrives, encrypted, nothing},
	{IPsec, Plain, false, inClear + andArrives, encrypted, inClear + andArrives},
	{IPsec, Plain, true, inClear + andArrives, encrypted, nothing},
}

func TestMixedStatesAreCiliums(t *testing.T) {
	for _, row := range mixedStates {
		t.Run(fmt.Sprintf("%s to %s, tunnel %v", spoken(row.before), spoken(row.after), row.tunnel), func(t *testing.T) {
			t.Parallel()
			lan := newTestLAN(t, 2)
			fresh, old := addPod(t, lan, 1, "new"), addPod(t, lan, 2, "old")
			serveEcho(t, fresh.Namespace())
			serveEcho(t, old.Namespace())
			before := Datapath{Encryption: row.before, Tunnel: row.tunnel, PerPeer: true}
			after := Datapath{Encryption: row.after, Tunnel: row.tunnel, PerPeer: true}
			announce(t, lan, 1, before, row.before)
			announce(t, lan, 2, before, row.before)
			mustEcho(t, fresh.Namespace(), old.IP(), "all is before")

			announce(t, lan, 1, after, row.before)
			if got := travels(t, lan, fresh, old); got != row.newToOld {
				t.Errorf("new to old: %s, not %s", got, row.newToOld)
			}
			if got := travels(t, lan, old, fresh); got != row.unseen {
				t.Errorf("old to new, unseen: %s, not %s", got, row.unseen)
			}
			announce(t, lan, 2, before, row.after)
			if got := travels(t, lan, old, fresh); got != row.seen {
				t.Errorf("old to new: %s, not %s", got, row.seen)
			}
			if row.after == IPsec && row.before == Plain && row.tunnel && lan.Node("node1").Stats().Errors["OutPolBlock"] == 0 {
				t.Error("what the default-drop policy stopped is not counted")
			}

			announce(t, lan, 2, after, row.after)
			announce(t, lan, 1, after, row.after)
			mustEcho(t, old.Namespace(), fresh.IP(), "all is after")
		})
	}
}

// Strict mode of the side that encrypts: what would leave in clear is dropped there, and counted.
func TestStrictModeDropsWhatMixedStatesLeak(t *testing.T) {
	for _, encryption := range []Encryption{Wireguard, IPsec} {
		t.Run(string(encryption), func(t *testing.T) {
			t.Parallel()
			lan := newTestLAN(t, 2)
			fresh, old := addPod(t, lan, 1, "new"), addPod(t, lan, 2, "old")
			range16 := netip.MustParsePrefix("10.244.0.0/16")
			strict := Datapath{Encryption: encryption, PerPeer: true, PodRange: range16, Strict: Strict{Egress: range16, Ingress: encryption == Wireguard}}
			announce(t, lan, 1, strict, Plain)
			announce(t, lan, 2, Datapath{PerPeer: true, PodRange: range16}, encryption)
			if got := travels(t, lan, fresh, old); got != nothing {
				t.Errorf("new to old: %s", got)
			}
			want := inClear + andArrives
			if strict.Strict.Ingress {
				want = inClear
			}
			if got := travels(t, lan, old, fresh); got != want {
				t.Errorf("old to new: %s, not %s", got, want)
			}
			drops := lan.Node("node1").Stats().Unencrypted
			if drops.Egress.Packets == 0 || drops.Egress.Bytes == 0 || (drops.Ingress.Packets > 0) != strict.Strict.Ingress {
				t.Errorf("not counted: %+v", drops)
			}
			announce(t, lan, 2, strict, encryption)
			announce(t, lan, 1, strict, encryption)
			serveEcho(t, old.Namespace())
			mustEcho(t, fresh.Namespace(), old.IP(), "both encrypt")
			mustEcho(t, lan.Node("node1").Namespace(), old.IP(), "from the node")
		})
	}
}

// An address that no node holds is taken for one outside the cluster.
func TestUndiscoveredEndpoints(t *testing.T) {
	for _, datapath := range []Datapath{
		{Encryption: Wireguard, Tunnel: true}, {Encryption: Wireguard}, {Encryption: IPsec, Tunnel: true}, {Encryption: IPsec}, {Tunnel: true},
	} {
		t.Run(fmt.Sprintf("%+v", modeOf(datapath)), func(t *testing.T) {
			t.Parallel()
			lan := newTestLAN(t, 2)
			pod := addPod(t, lan, 1, "a")
			nobody := netip.MustParseAddr("10.244.99.9")
			datapath.PodRange = netip.MustParsePrefix("10.244.0.0/16")
			applyToAll(t, lan, datapath)
			if got := travelsTo(t, lan, pod, nobody); got != inClear {
				t.Errorf("without strict mode: %s", got)
			}
			if got := travelsTo(t, lan, pod, netip.MustParseAddr("10.244.1.77")); got != nothing {
				t.Errorf("to a pod of this node that is not there: %s", got)
			}
			if datapath.Encryption == Plain {
				return
			}
			datapath.Strict.Egress = datapath.PodRange
			applyToAll(t, lan, datapath)
			before := lan.Node("node1").Stats().Unencrypted.Egress.Packets
			if got := travelsTo(t, lan, pod, nobody); got != nothing {
				t.Errorf("with strict mode: %s", got)
			}
			if after := lan.Node("node1").Stats().Unencrypted.Egress.Packets; after == before {
				t.Error("the drop is not counted")
			}
			must(t, lan.SetFaults([]Fault{{Kind: StrictOff, Node: "node1"}}))
			if got := travelsTo(t, lan, pod, nobody); got != inClear {
				t.Errorf("strict mode does not hold on order: %s", got)
			}
		})
	}
}

func TestANodeLeaksWhileItsAgentChangesTheEncryption(t *testing.T) {
	for _, each := range []struct {
		name          string
		before, after Datapath
		pods, leaks   bool
	}{
		{"tunnel", Datapath{Encryption: IPsec, Tunnel: true}, Datapath{Encryption: Wireguard, Tunnel: true}, true, true},
		{"native", Datapath{Encryption: Wireguard}, Datapath{Encryption: IPsec}, true, true},
		{"with strict mode", Datapath{Encryption: Wireguard}, Datapath{Encryption: IPsec, Strict: Strict{Egress: netip.MustParsePrefix("10.244.0.0/16")}}, true, false},
		{"node encryption alone", Datapath{Encryption: Wireguard}, Datapath{Encryption: Wireguard, EncryptNodes: true}, true, false},
		{"without pods", Datapath{Encryption: Wireguard}, Datapath{Encryption: IPsec}, false, false},
	} {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			lan := newTestLAN(t, 2)
			to := addPod(t, lan, 2, "to").IP()
			from := lan.Node("node1").Namespace()
			if each.pods {
				from = addPod(t, lan, 1, "from").Namespace()
			}
			each.before.PerPeer, each.after.PerPeer = true, true
			announce(t, lan, 2, each.before, each.before.Encryption)
			announce(t, lan, 1, each.before, each.before.Encryption)
			outside, stop := recordBridge(t, lan), make(chan struct{})
			must(t, from.Do(func() error {
				// The node's own packets to pods go by their own ways: only the window's length is looked at then.
				socket, err := net.Dial("udp4", netip.AddrPortFrom(to, echoPort).String())
				if err == nil {
					go repeat(socket, "leaked", stop)
				}
				return err
			}))
			start := time.Now()
			announce(t, lan, 1, each.after, each.before.Encryption)
			took := time.Since(start)
			close(stop)
			if (took >= leakWindow) != each.leaks {
				t.Errorf("the change took %s", took)
			}
			if each.pods && outside.shows("leaked") != each.leaks {
				t.Errorf("leaks: %v", !each.leaks)
			}
		})
	}
}

// Node encryption is switched on: node-to-node traffic is plain until then, what pods say never is.
func TestNodeEncryptionComesOneNodeAfterTheOther(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	one, two := lan.Node("node1"), lan.Node("node2")
	serveEcho(t, b.Namespace())
	listener := listenSilently(t, two.Namespace())
	defer listener.Close()
	off, on := Datapath{Encryption: Wireguard, Tunnel: true, PerPeer: true}, Datapath{Encryption: Wireguard, Tunnel: true, PerPeer: true, EncryptNodes: true}
	announce(t, lan, 2, off, Wireguard)
	for _, datapath := range []Datapath{off, on, off} {
		announce(t, lan, 1, datapath, Wireguard)
		outside := recordBridge(t, lan)
		mustEcho(t, a.Namespace(), b.IP(), "pod to pod")
		must(t, say(one.Namespace(), two.address.Addr(), "node to node"))
		if outside.shows("pod to pod") {
			t.Error("a pod's packet is plain")
		}
		if outside.shows("node to node") == datapath.EncryptNodes {
			t.Errorf("node encryption %v: a node's packet is plain: %v", datapath.EncryptNodes, datapath.EncryptNodes)
		}
	}
}

// One side alone made its IPsec state anew. Cilium's states have extended sequence numbers and a window against replays of
// 1024 packets (ipSecNewState), and Cilium keeps those of a peer whatever key it announces: numbers from 1 on are replays.
func TestStateThatOneSideMadeAnewMeetsTheOthersWindow(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	serveEcho(t, b.Namespace())
	ipsec, wireguard := Datapath{Encryption: IPsec, PerPeer: true}, Datapath{Encryption: Wireguard, PerPeer: true}
	announce(t, lan, 1, ipsec, IPsec)
	announce(t, lan, 2, ipsec, IPsec)
	for range 3 {
		mustEcho(t, a.Namespace(), b.IP(), "before")
	}
	awayAndBack := func(node int) {
		announce(t, lan, node, wireguard, IPsec)
		announce(t, lan, node, ipsec, IPsec)
	}
	awayAndBack(1)
	if echo(a.Namespace(), "udp4", b.IP(), "replayed", shortly) == nil || lan.Node("node2").Stats().Errors["InStateSeqError"] == 0 {
		t.Error("numbers of before are accepted again")
	}
	awayAndBack(2)
	awayAndBack(1)
	mustEcho(t, a.Namespace(), b.IP(), "both anew")
}

func spoken(encryption Encryption) string {
	if encryption == Plain {
		return "off"
	}
	return string(encryption)
}

// announce applies a datapath to one node, to which the other announces an encryption.
func announce(t *testing.T, lan *LAN, node int, datapath Datapath, peer Encryption) {
	t.Helper()
	name := nodeName(node)
	datapath.Keys = []IPsecKey{{SPI: 3, Material: []byte("sixteen byte key and salt")[:20]}}
	datapath.PrivateKey, datapath.BootID = [32]byte(keyOf(name).Bytes()), bootIDOf(name)
	for _, known := range peersOf(lan, name) {
		switch peer {
		case Plain:
			known.SPI, known.PublicKey, known.EncryptsNodes = 0, [32]byte{}, false
		case IPsec:
			known.SPI, known.PublicKey, known.EncryptsNodes = 3, [32]byte{}, false
		case Wireguard:
			known.SPI, known.EncryptsNodes = 255, true
		}
		datapath.Peers = append(datapath.Peers, known)
	}
	must(t, lan.Node(name).Apply(datapath))
}

// travels tells how a packet from a pod looks on its way to another, and whether it arrives.
func travels(t *testing.T, lan *LAN, from, to *Pod) string {
	t.Helper()
	listener := listenSilently(t, to.Namespace())
	defer listener.Close()
	seen := travelsTo(t, lan, from, to.IP())
	must(t, listener.SetReadDeadline(time.Now().Add(shortly)))
	if _, _, err := listener.ReadFrom(make([]byte, 100)); err == nil {
		return seen + andArrives
	}
	return seen
}

// silentPort takes packets and answers none.
const silentPort = 7777

func listenSilently(t *testing.T, namespace *Namespace) (listener net.PacketConn) {
	t.Helper()
	must(t, namespace.Do(func() (err error) {
		listener, err = net.ListenPacket("udp4", fmt.Sprintf(":%d", silentPort))
		return err
	}))
	return listener
}

func travelsTo(t *testing.T, lan *LAN, from *Pod, to netip.Addr) string {
	t.Helper()
	outside := recordBridge(t, lan)
	must(t, from.Namespace().Do(func() error {
		socket, err := net.Dial("udp4", netip.AddrPortFrom(to, silentPort).String())
		if err != nil {
			return err
		}
		defer socket.Close()
		for range 5 {
			// An error is an ICMP message about the one before.
			_, _ = socket.Write([]byte("the secret"))
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	}))
	switch {
	case outside.shows("the secret"):
		return inClear
	case outside.carriesCiphertext(from.ip):
		return encrypted
	}
	return nothing
}

// carriesCiphertext: ESP or WireGuard's transport data, from the node of a pod.
func (r *recording) carriesCiphertext(pod netip.Addr) bool {
	node := []byte{172, 30, 0, pod.As4()[2]}
	for _, frame := range r.all() {
		packet := frame[14:]
		if binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || !bytes.Equal(packet[12:16], node) {
			continue
		}
		if packet[9] == unix.IPPROTO_ESP || (packet[9] == unix.IPPROTO_UDP && binary.BigEndian.Uint16(packet[22:]) == wireguardPort && packet[28] == 4) {
			return true
		}
	}
	return false
}

func say(from *Namespace, to netip.Addr, text string) error {
	return from.Do(func() error {
		socket, err := net.Dial("udp4", netip.AddrPortFrom(to, silentPort).String())
		if err != nil {
			return err
		}
		defer socket.Close()
		_, err = socket.Write([]byte(text))
		return err
	})
}
