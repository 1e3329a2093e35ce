package wire

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
)

func TestPodsOfTwoNodesTalkInClear(t *testing.T) {
	t.Parallel()
	for _, tunnel := range []bool{true, false} {
		t.Run(fmt.Sprintf("tunnel=%v", tunnel), func(t *testing.T) {
			lan := newScrambledLAN(t, 2)
			a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
			serveEcho(t, b.Namespace())
			if echo(a.Namespace(), "udp4", b.IP(), "too early", shortly) == nil {
				t.Error("packets travel before there is a datapath")
			}
			applyToAll(t, lan, Datapath{Tunnel: tunnel})
			outside := recordBridge(t, lan)
			mustEcho(t, a.Namespace(), b.IP(), "a marker")
			if !outside.shows("a marker") {
				t.Error("the bridge does not show what passes in clear")
			}
		})
	}
}

func TestEveryNodeReachesEveryOther(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 4)
	var pods []*Pod
	for i := 1; i <= 4; i++ {
		pods = append(pods, addPod(t, lan, i, "pod"))
		serveEcho(t, pods[i-1].Namespace())
		serveEcho(t, lan.Node(nodeName(i)).Namespace())
	}
	for _, datapath := range []Datapath{{Tunnel: true}, {}, {Tunnel: true, Encryption: Wireguard}, {Encryption: Wireguard}} {
		applyToAll(t, lan, datapath)
		for i, from := range pods {
			for j, to := range pods {
				mustEcho(t, from.Namespace(), to.IP(), "pod to pod")
				// By TCP, since a UDP server that listens on all addresses answers a pod from cilium_host.
				if err := echo(from.Namespace(), "tcp4", lan.Node(nodeName(j+1)).address.Addr(), "pod to node", inTime); err != nil {
					t.Errorf("pod %d to node %d: %v", i+1, j+1, err)
				}
				mustEcho(t, lan.Node(nodeName(i+1)).Namespace(), to.IP(), "node to pod")
			}
		}
	}
}

func TestLargeTransfersAreNotFragmented(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	serveEcho(t, b.Namespace())
	for _, datapath := range []Datapath{
		{Encryption: Wireguard, Tunnel: true}, {Encryption: IPsec, Tunnel: true}, {Encryption: IPsec, Tunnel: true, ESPInVXLAN: true}, {Encryption: IPsec},
	} {
		applyToAll(t, lan, datapath)
		outside := recordBridge(t, lan)
		if err := echo(a.Namespace(), "tcp4", b.IP(), strings.Repeat("a megabyte of text. ", 50_000), inTime); err != nil {
			t.Errorf("%+v: %v", modeOf(datapath), err)
		}
		frames := outside.all()
		if len(frames) < 700 {
			t.Errorf("%+v: a megabyte is more than %d frames", modeOf(datapath), len(frames))
		}
		for _, frame := range frames {
			if len(frame) > cableMTU+14 {
				t.Fatalf("%+v: a frame of %d bytes", modeOf(datapath), len(frame))
			}
			if fragment := uint16(frame[20])<<8 | uint16(frame[21]); fragment&0x3fff != 0 {
				t.Fatalf("%+v: a fragment", modeOf(datapath))
			}
		}
	}
}

func TestRemovedNodesLeaveNothing(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	addPod(t, lan, 2, "pod")
	applyToAll(t, lan, Datapath{Tunnel: true, Encryption: IPsec})
	if _, err := exec.LookPath("nft"); err == nil {
		must(t, lan.SetFaults([]Fault{{Kind: Loss, Node: "node2", Percent: 1}}))
	}
	if got := devices(t, lan.handle); got != "lan0 lo port1 port2" {
		t.Error("at first: " + got)
	}
	must(t, lan.RemoveNode("node2"))
	must(t, lan.RemoveNode("node2"))
	if got := devices(t, lan.handle); got != "lan0 lo port1" {
		t.Error("afterwards: " + got)
	}
	if strings.Contains(lan.losses, "port2") {
		t.Error("its losses would be the next one's")
	}
	if lan.Node("node2") != nil {
		t.Error("the node is still known")
	}
	// The same name, address and pod CIDR are free again.
	_, err := lan.AddNode("node2", netip.MustParsePrefix("172.30.0.2/16"), netip.MustParsePrefix("10.244.2.0/24"))
	must(t, err)
}

// Above all: their closed netlink sockets would be replaced by ones of the machine's own network.
func TestNodesThatAreGoneRefuseEverything(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	one, two := lan.Node("node1"), lan.Node("node2")
	must(t, lan.RemoveNode("node1"))
	must(t, lan.Close())
	for _, node := range []*Node{one, two} {
		_, err := node.AddPod("pod")
		for what, err := range map[string]error{
			"a pod": err, "a datapath": node.Apply(Datapath{Tunnel: true}), "a fault": node.SetFaults([]Fault{{Kind: Partition}}),
			"a pod CIDR": node.SetPodCIDR(netip.MustParsePrefix("10.9.0.0/24")),
		} {
			if err == nil || !strings.Contains(err.Error(), "is gone") {
				t.Errorf("%s takes %s: %v", node.name, what, err)
			}
		}
	}
	if _, err := lan.AddNode("node3", netip.MustParsePrefix("172.30.0.3/16"), netip.MustParsePrefix("10.244.3.0/24")); err == nil {
		t.Error("a closed LAN takes nodes")
	}
	links, err := net.Interfaces()
	must(t, err)
	for _, link := range links {
		if strings.HasPrefix(link.Name, "lxc0af4") || link.Name == tunnelDevice {
			t.Errorf("%s is in the machine's own network", link.Name)
		}
	}
}

func TestNodesThatClashAreRefused(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 1)
	for _, each := range []struct{ name, address, podCIDR, clash string }{
		{"node1", "172.30.0.9/16", "10.244.9.0/24", "clashes"},
		{"node9", "172.30.0.1/16", "10.244.9.0/24", "clashes"},
		{"node9", "fd00::9/64", "10.244.9.0/24", "IPv4"},
		{"node9", "172.30.0.9/16", "10.244.9.0/30", "/29"},
	} {
		_, err := lan.AddNode(each.name, netip.MustParsePrefix(each.address), netip.MustParsePrefix(each.podCIDR))
		if err == nil || !strings.Contains(err.Error(), each.clash) {
			t.Errorf("%+v: %v", each, err)
		}
	}
	if lan.Node("node9") != nil || lan.Node("node1") == nil {
		t.Error("a node that was refused changed something")
	}
}

func TestPortsAreNamedAfterTheHostPartOfAddresses(t *testing.T) {
	for address, port := range map[string]string{"172.30.0.3/16": "port3", "172.30.1.3/16": "port259", "192.168.7.20/24": "port20", "10.0.33.1/20": "port257"} {
		if got := portName(netip.MustParsePrefix(address)); got != port {
			t.Errorf("%s: %s, not %s", address, got, port)
		}
	}
}
