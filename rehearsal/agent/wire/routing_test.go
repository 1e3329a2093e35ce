package wire

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// lines says a wiring as `ip` would, sorted.
func (w wiring) lines() string {
	var lines []string
	for to, r := range w.routes {
		line := fmt.Sprintf("table %d: %s", to.table, to.to)
		if r.device == "" {
			line += " blackhole"
		} else {
			line += " dev " + r.device
		}
		if r.via.IsValid() {
			line += " via " + r.via.String()
		}
		if r.source.IsValid() {
			line += " src " + r.source.String()
		}
		lines = append(lines, line)
	}
	for r := range w.rules {
		line := fmt.Sprintf("rule %d:", r.priority)
		for _, selector := range []struct {
			word  string
			given bool
		}{{"esp", r.esp}, {"marked", r.marked}, {"unmarked", r.unmarked}, {"tunnelled", r.tunnelled}, {"from " + r.from.String(), r.from.IsValid()}} {
			if selector.given {
				line += " " + selector.word
			}
		}
		lines = append(lines, fmt.Sprintf("%s: table %d", line, r.table))
	}
	for c := range w.contacts {
		lines = append(lines, fmt.Sprintf("contact %s on %s at %s", c.ip, c.device, c.peer))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestRoutesOfEveryMode(t *testing.T) {
	const onCable = "contact 172.30.0.2 on eth0 at 172.30.0.2"
	const onTunnel = "contact 10.244.2.1 on cilium_vxlan at 172.30.0.2"
	const byTunnel = "table 254: 10.244.2.0/24 dev cilium_vxlan via 10.244.2.1 src 10.244.1.1"
	const markedOut = "rule 110: marked: table 201"
	const podsOut = "table 201: 10.244.2.0/24 dev eth0 via 172.30.0.2"
	const tunnelRule = "rule 120: tunnelled: table 200"
	const tunnelElse = "table 200: 0.0.0.0/0 blackhole"
	const nodesRule = "rule 130: unmarked: table 202"
	const repliesRule = "rule 140: from 172.30.0.1: table 203"
	const replies = "table 203: 10.244.2.0/24 dev eth0 via 172.30.0.2"

	leak := []Fault{{Kind: Leak, Peer: "node2"}}
	for _, each := range []struct {
		name     string
		datapath Datapath
		faults   []Fault
		want     []string
	}{
		{"plain, native", Datapath{}, nil,
			[]string{onCable, "table 254: 10.244.2.0/24 dev eth0 via 172.30.0.2 src 10.244.1.1"}},
		{"plain, tunnel", Datapath{Tunnel: true}, nil,
			[]string{onTunnel, onCable, byTunnel}},
		{"a leak where all is plain", Datapath{Tunnel: true}, leak,
			[]string{onTunnel, onCable, byTunnel}},
		{"node encryption without encryption", Datapath{EncryptNodes: true, Tunnel: true}, nil,
			[]string{onTunnel, onCable, byTunnel}},

		{"IPsec, native", Datapath{Encryption: IPsec}, nil,
			[]string{onCable, markedOut, podsOut, "table 254: 10.244.2.0/24 dev user_xfrm src 10.244.1.1"}},
		{"IPsec, native, leak", Datapath{Encryption: IPsec}, leak,
			[]string{onCable, markedOut, podsOut, "table 254: 10.244.2.0/24 dev eth0 via 172.30.0.2 src 10.244.1.1"}},
		{"IPsec, tunnel", Datapath{Encryption: IPsec, Tunnel: true}, nil,
			[]string{onTunnel, onCable, markedOut, tunnelRule, tunnelElse, "table 200: 172.30.0.2/32 dev user_xfrm", podsOut, byTunnel}},
		{"IPsec, tunnel, leak", Datapath{Encryption: IPsec, Tunnel: true}, leak,
			[]string{onTunnel, onCable, markedOut, tunnelRule, tunnelElse, "table 200: 172.30.0.2/32 dev eth0", podsOut, byTunnel}},
		{"IPsec inside the tunnel", Datapath{Encryption: IPsec, Tunnel: true, ESPInVXLAN: true}, nil,
			[]string{onTunnel, onCable, "rule 100: esp marked: table 200", markedOut, "table 200: 172.30.0.2/32 dev cilium_vxlan via 10.244.2.1", podsOut,
				"table 254: 10.244.2.0/24 dev user_xfrm src 10.244.1.1"}},
		{"IPsec inside the tunnel, leak", Datapath{Encryption: IPsec, Tunnel: true, ESPInVXLAN: true}, leak,
			[]string{onTunnel, onCable, "rule 100: esp marked: table 200", markedOut, "table 200: 172.30.0.2/32 dev cilium_vxlan via 10.244.2.1", podsOut, byTunnel}},
		{"IPsec does not encrypt nodes", Datapath{Encryption: IPsec, EncryptNodes: true}, nil,
			[]string{onCable, markedOut, podsOut, "table 254: 10.244.2.0/24 dev user_xfrm src 10.244.1.1"}},

		{"WireGuard, native", Datapath{Encryption: Wireguard}, nil,
			[]string{onCable, markedOut, repliesRule, podsOut, replies, "table 254: 10.244.2.0/24 dev cilium_wg0 src 10.244.1.1"}},
		{"WireGuard, tunnel, in whatever order IPsec would have", Datapath{Encryption: Wireguard, Tunnel: true, ESPInVXLAN: true}, nil,
			[]string{onTunnel, onCable, markedOut, tunnelRule, tunnelElse, "table 200: 172.30.0.2/32 dev cilium_wg0", podsOut, byTunnel}},
		{"WireGuard, native, nodes", Datapath{Encryption: Wireguard, EncryptNodes: true}, nil,
			[]string{onCable, markedOut, nodesRule, repliesRule, podsOut, "table 202: 172.30.0.2/32 dev cilium_wg0",
				"table 254: 10.244.2.0/24 dev cilium_wg0 src 10.244.1.1"}},
		{"WireGuard, tunnel, nodes", Datapath{Encryption: Wireguard, Tunnel: true, EncryptNodes: true}, nil,
			[]string{onTunnel, onCable, markedOut, tunnelRule, nodesRule, tunnelElse, "table 200: 172.30.0.2/32 dev cilium_wg0", podsOut,
				"table 202: 172.30.0.2/32 dev cilium_wg0", byTunnel}},
		{"WireGuard, tunnel, nodes, leak", Datapath{Encryption: Wireguard, Tunnel: true, EncryptNodes: true}, leak,
			[]string{onTunnel, onCable, markedOut, tunnelRule, nodesRule, tunnelElse, "table 200: 172.30.0.2/32 dev eth0", podsOut, byTunnel}},
	} {
		each.datapath.Peers = []Peer{
			{Name: "node1", IP: netip.MustParseAddr("172.30.0.1"), PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.1.0/24")}}, // itself
			{Name: "node2", IP: netip.MustParseAddr("172.30.0.2"), EncryptsNodes: true,
				PodCIDRs: []netip.Prefix{netip.MustParsePrefix("fd00:2::/64"), netip.MustParsePrefix("10.244.2.0/24")}},
		}
		got := wiringOf(netip.MustParseAddr("172.30.0.1"), netip.MustParsePrefix("10.244.1.0/24"), each.datapath, each.faults).lines()
		slices.Sort(each.want)
		if want := strings.Join(each.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nnot\n%s", each.name, got, want)
		}
	}
}

func TestNodesThatOptOutAreReachedInClear(t *testing.T) {
	peer := Peer{Name: "node2", IP: netip.MustParseAddr("172.30.0.2"), PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.2.0/24")}}
	datapath := Datapath{Encryption: Wireguard, EncryptNodes: true, Peers: []Peer{peer}}
	got := wiringOf(netip.MustParseAddr("172.30.0.1"), netip.MustParsePrefix("10.244.1.0/24"), datapath, nil)
	if _, ok := got.routes[destination{tableNodes, netip.PrefixFrom(peer.IP, 32)}]; ok {
		t.Error("its node traffic is encrypted")
	}
	if got.routes[destination{tableReplies, peer.PodCIDRs[0]}].device != cableDevice {
		t.Error("answers of this node to its pods are encrypted")
	}
	if got.routes[destination{tableMain, peer.PodCIDRs[0]}].device != wireguardDevice {
		t.Error("its pods' traffic is not encrypted")
	}
}
