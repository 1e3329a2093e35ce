package wire

import (
	"fmt"
	"testing"
	"time"
)

// ipsecLAN has two nodes with a pod each, and IPsec as the datapath says.
func ipsecLAN(t *testing.T, datapath Datapath) (lan *LAN, a, b *Pod) {
	t.Helper()
	lan = newTestLAN(t, 2)
	a, b = addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	serveEcho(t, b.Namespace())
	applyToAll(t, lan, Datapath{Tunnel: datapath.Tunnel})
	// Cables do not work at once.
	for deadline := time.Now().Add(soon); echo(a.Namespace(), "udp4", b.IP(), "in clear", shortly) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the pods cannot talk even in clear")
		}
	}
	datapath.Encryption, datapath.Keys = IPsec, []IPsecKey{ipsecKey(3, 20)}
	for number := range byte(2) {
		datapath.BootID = ipsecPeerOf(number+1, 0).BootID
		peer := ipsecPeerOf(2-number, 3)
		peer.Name = nodeName(int(2 - number))
		datapath.Peers = []Peer{peer}
		must(t, lan.Node(nodeName(int(number+1))).Apply(datapath))
	}
	return lan, a, b
}

func TestIPsecInEveryRouting(t *testing.T) {
	for name, datapath := range map[string]Datapath{
		"native":       {},
		"VXLAN in ESP": {Tunnel: true},
		"ESP in VXLAN": {Tunnel: true, ESPInVXLAN: true},
	} {
		t.Run(name, func(t *testing.T) {
			lan, a, b := ipsecLAN(t, datapath)
			wire := wireguardSide{Namespace: lan.Node("node1").Namespace()}.record(t)
			for _, network := range []string{"tcp4", "udp4"} {
				must(t, echo(a.Namespace(), network, b.IP(), "not in clear", time.Second))
				// What fills packets: the pods' MTU leaves room for everything around them.
				must(t, echo(a.Namespace(), network, b.IP(), fmt.Sprintf("not in clear %1200d", 1), time.Second))
			}
			if wire.shows("not in clear") {
				t.Error("an encrypted text passed in clear")
			}
			frames := wire.esp()
			if len(frames) == 0 {
				t.Error("there is no ESP on the wire")
			}
			for _, frame := range frames {
				if frame.spi != 3 || frame.inVXLAN != datapath.ESPInVXLAN {
					t.Errorf("%+v", frame)
				}
			}
			for node, n := range lan.nodes {
				if stats := n.Stats(); len(stats.Errors) != 0 || len(stats.States) != 2 || stats.States[0].Packets == 0 || stats.States[1].Packets == 0 {
					t.Errorf("%s: %+v", node, stats)
				}
			}

			must(t, lan.SetFaults([]Fault{{Kind: LeakBeside, Node: "node1", Peer: "node2"}}))
			must(t, echo(a.Namespace(), "tcp4", b.IP(), "beside", time.Second))
			if !wire.shows("beside") {
				t.Error("no copy in clear is on the wire")
			}
			if more := wire.esp(); len(more) <= len(frames) {
				t.Error("the copies in clear went instead of the packets, not beside")
			}
			must(t, lan.SetFaults(nil))
			must(t, echo(a.Namespace(), "tcp4", b.IP(), "cured", time.Second))
			if wire.shows("cured") {
				t.Error("the leak goes on after its end")
			}
		})
	}
}

func TestIPsecPeerMissingOnOrderComesBack(t *testing.T) {
	lan, a, b := ipsecLAN(t, Datapath{})
	must(t, echo(a.Namespace(), "udp4", b.IP(), "before", time.Second))
	must(t, lan.SetFaults([]Fault{{Kind: PeerMissing, Node: "node1"}}))
	if err := echo(a.Namespace(), "udp4", b.IP(), "during", shortly); err == nil {
		t.Error("it passes")
	}
	if stats := lan.Node("node1").Stats(); len(stats.States) != 0 || stats.Errors["OutPolBlock"] == 0 {
		t.Errorf("%+v", stats)
	}
	must(t, lan.SetFaults(nil))
	must(t, echo(a.Namespace(), "udp4", b.IP(), "after", time.Second))
	if stats := lan.Node("node2").Stats(); len(stats.Errors) != 0 {
		t.Errorf("the peer takes what comes back for replays: %+v", stats)
	}
}
