package wire

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// wireguardLAN makes two nodes with a pod each, and the datapath of each that encrypts towards the other.
func wireguardLAN(t *testing.T) (nodes [2]*Node, pods [2]*Pod, datapaths [2]Datapath) {
	t.Helper()
	lan := newTestLAN(t, 2)
	for i := range nodes {
		nodes[i], pods[i] = lan.Node(nodeName(i+1)), addPod(t, lan, i+1, "pod")
		serveEcho(t, pods[i].Namespace())
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		must(t, err)
		datapaths[i].Encryption, datapaths[i].PrivateKey = Wireguard, [32]byte(private.Bytes())
		datapaths[1-i].Peers = []Peer{{
			Name: nodes[i].name, IP: nodes[i].address.Addr(), PodCIDRs: []netip.Prefix{nodes[i].podCIDR},
			PublicKey: [32]byte(private.PublicKey().Bytes()),
		}}
	}
	return nodes, pods, datapaths
}

func TestWireguardBetweenPodsOfNodes(t *testing.T) {
	for _, tunnel := range []bool{false, true} {
		t.Run(fmt.Sprintf("tunnel=%v", tunnel), func(t *testing.T) {
			nodes, pods, datapaths := wireguardLAN(t)
			wire := wireguardSide{Namespace: nodes[0].Namespace()}.record(t)
			for i := range nodes {
				datapaths[i].Tunnel = tunnel
				must(t, nodes[i].Apply(datapaths[i]))
			}
			for i, network := range []string{"tcp4", "udp4"} {
				must(t, echo(pods[i].Namespace(), network, pods[1-i].IP(), "not in clear", soon))
			}
			if wire.shows("not in clear") {
				t.Error("a pod's text passed in clear")
			}
			must(t, nodes[0].SetFaults([]Fault{{Kind: LeakBeside, Node: nodes[0].name}}))
			must(t, echo(pods[0].Namespace(), "tcp4", pods[1].IP(), "leaked", soon))
			if !wire.shows("leaked") {
				t.Error("no copy in clear")
			}
		})
	}
}

// The node takes a missing peer out of the datapath: the encryptor learns of the fault's end only from the fault.
func TestWireguardPeerIsWellAgainWithoutDelay(t *testing.T) {
	nodes, pods, datapaths := wireguardLAN(t)
	for i := range nodes {
		must(t, nodes[i].Apply(datapaths[i]))
	}
	// UDP, since what is left of a TCP connection would make the node speak on its own.
	says := func() error { return echo(pods[1].Namespace(), "udp4", pods[0].IP(), "hello", shortly) }
	// The first packet waits for the handshake.
	must(t, echo(pods[1].Namespace(), "udp4", pods[0].IP(), "hello", soon))
	must(t, nodes[0].SetFaults([]Fault{{Kind: PeerMissing, Node: nodes[0].name, Peer: nodes[1].name}}))
	if says() == nil {
		t.Error("traffic passes without a peer")
	}
	must(t, nodes[0].Apply(datapaths[0]))
	must(t, nodes[0].SetFaults(nil))
	for start := time.Now(); says() != nil; {
		if time.Since(start) > promptly {
			t.Fatal("the peer's old session is still in the way")
		}
	}
}
