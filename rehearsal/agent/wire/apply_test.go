package wire

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

var encryptedDatapaths = []Datapath{
	{Encryption: Wireguard, Tunnel: true},
	{Encryption: Wireguard},
	{Encryption: IPsec},
	{Encryption: IPsec, Tunnel: true, ESPInVXLAN: true},
	{Encryption: IPsec, Tunnel: true},
	{Encryption: Wireguard, Tunnel: true, EncryptNodes: true},
	{Encryption: Wireguard, EncryptNodes: true},
}

func TestEncryptedPodsAreUnreadableOutside(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	one, two := lan.Node("node1"), lan.Node("node2")
	serveEcho(t, b.Namespace())
	serveEcho(t, two.Namespace())
	for _, datapath := range encryptedDatapaths {
		t.Run(fmt.Sprintf("%+v,nodes=%v", modeOf(datapath), datapath.EncryptNodes), func(t *testing.T) {
			applyToAll(t, lan, datapath)
			outside := recordBridge(t, lan)
			mustEcho(t, a.Namespace(), b.IP(), "pod to pod")
			mustEcho(t, one.Namespace(), two.address.Addr(), "node to node")
			if outside.shows("pod to pod") || !outside.shows(string(scrambled([]byte("pod to pod")))) {
				t.Error("pods' packets are readable, or not there")
			}
			if outside.shows("node to node") == datapath.EncryptNodes {
				t.Errorf("nodes' packets are readable: %v", !datapath.EncryptNodes)
			}
		})
	}
}

// Cilium's switch of modes may lose packets; here as there, none may be readable.
func TestNothingLeaksWhileModesChange(t *testing.T) {
	for name, newLAN := range map[string]func(*testing.T, int) *LAN{"scramblers": newScrambledLAN, "real encryption": newTestLAN} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lan := newLAN(t, 2)
			a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
			serveEcho(t, a.Namespace())
			serveEcho(t, b.Namespace())
			applyToAll(t, lan, encryptedDatapaths[0])
			// One side first: where the first handshakes of both cross, WireGuard tries again after 5 seconds.
			mustEcho(t, a.Namespace(), b.IP(), "secret")
			outside := recordBridge(t, lan)
			stop := make(chan struct{})
			var senders sync.WaitGroup
			for from, to := range map[*Pod]*Pod{a: b, b: a} {
				must(t, from.Namespace().Do(func() error {
					socket, err := net.Dial("udp4", netip.AddrPortFrom(to.IP(), echoPort).String())
					senders.Go(func() { repeat(socket, "secret", stop) })
					return err
				}))
			}
			for _, datapath := range append(encryptedDatapaths, encryptedDatapaths[2:]...) {
				applyToAll(t, lan, datapath)
				for start := time.Now(); echo(a.Namespace(), "udp4", b.IP(), "secret", shortly) != nil; {
					if time.Since(start) > 10*time.Second {
						t.Fatalf("%+v: nothing passes", modeOf(datapath))
					}
				}
			}
			if outside.shows("secret") {
				t.Error("packets leaked while modes changed")
			}
			applyToAll(t, lan, Datapath{Tunnel: true})
			mustEcho(t, a.Namespace(), b.IP(), "secret")
			close(stop)
			senders.Wait()
			if !outside.shows("secret") {
				t.Error("the recording would not have shown a leak")
			}
		})
	}
}

// repeat sends a text all the time, so that some packet is on its way at every moment of a change.
func repeat(socket net.Conn, text string, stop <-chan struct{}) {
	defer socket.Close()
	for {
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Microsecond):
			_, _ = socket.Write([]byte(text))
		}
	}
}

func TestAnEncryptorThatFailsCutsPodsOff(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	serveEcho(t, b.Namespace())
	applyToAll(t, lan, Datapath{Tunnel: true})
	mustEcho(t, a.Namespace(), b.IP(), "in clear")

	broken := errors.New("broken")
	lan.newEncryptor = func(*Node, Encryption) (encryptor, error) { return nil, broken }
	outside := recordBridge(t, lan)
	one, encrypted := lan.Node("node1"), Datapath{Encryption: IPsec, Tunnel: true, Peers: peersOf(lan, "node1")}
	for range 2 {
		if err := one.Apply(encrypted); !errors.Is(err, broken) {
			t.Fatalf("the error is lost: %v", err)
		}
		if echo(a.Namespace(), "udp4", b.IP(), "secret", shortly) == nil || outside.shows("secret") {
			t.Error("packets leave in clear that were to be encrypted")
		}
	}
	lan.newEncryptor = newScrambler
	applyToAll(t, lan, Datapath{Encryption: IPsec, Tunnel: true})
	mustEcho(t, a.Namespace(), b.IP(), "mended")
}

func TestApplyingTheSameAgainChangesNothing(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 4)
	one := lan.Node("node1")
	for _, datapath := range append([]Datapath{{}, {Tunnel: true}}, encryptedDatapaths...) {
		applyToAll(t, lan, datapath)
		changes := recordChanges(t, one)
		datapath.Peers = peersOf(lan, "node1")
		slices.Reverse(datapath.Peers)
		must(t, one.Apply(datapath))
		if got := changes(); got != 0 {
			t.Errorf("%+v: %d changes the second time", modeOf(datapath), got)
		}
		// One peer fewer concerns that peer alone.
		datapath.Peers = datapath.Peers[1:]
		must(t, one.Apply(datapath))
		if got := changes(); got == 0 || got > 10 {
			t.Errorf("%+v: %d changes for one peer", modeOf(datapath), got)
		}
	}
}

// recordChanges counts what the kernel tells of routes, rules, neighbours and devices of a node since the last count.
func recordChanges(t *testing.T, node *Node) func() int {
	t.Helper()
	var socket *nl.NetlinkSocket
	must(t, node.namespace.Do(func() (err error) {
		socket, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_RULE)
		return err
	}))
	t.Cleanup(socket.Close)
	must(t, socket.SetReceiveTimeout(&unix.Timeval{Usec: 10_000}))
	return func() int {
		count := 0
		for {
			messages, _, err := socket.Receive()
			if err != nil {
				return count
			}
			count += len(messages)
		}
	}
}

func TestPeersComeMoveAndGo(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	serveEcho(t, b.Namespace())
	for _, datapath := range []Datapath{{}, {Tunnel: true}, {Tunnel: true, Encryption: Wireguard}, {Encryption: IPsec}} {
		applyToAll(t, lan, datapath)
		mustEcho(t, a.Namespace(), b.IP(), "both there")
		one := lan.Node("node1")
		must(t, one.Apply(datapath)) // without peers
		if echo(a.Namespace(), "udp4", b.IP(), "gone", shortly) == nil {
			t.Errorf("%+v: packets still reach a peer that went", modeOf(datapath))
		}
		// The pod CIDR is at another address for a while, where nobody is.
		datapath.Peers = []Peer{{Name: "node9", IP: netip.MustParseAddr("172.30.0.9"), PodCIDRs: []netip.Prefix{lan.Node("node2").podCIDR}}}
		must(t, one.Apply(datapath))
		if echo(a.Namespace(), "udp4", b.IP(), "elsewhere", shortly) == nil {
			t.Errorf("%+v: packets reach a node that has moved", modeOf(datapath))
		}
		datapath.Peers = peersOf(lan, "node1")
		must(t, one.Apply(datapath))
		mustEcho(t, a.Namespace(), b.IP(), "back again")
	}
}

func TestStatsAreTheEncryptors(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 1)
	one := lan.Node("node1")
	if got := one.Stats(); got.Errors != nil {
		t.Errorf("a node without a datapath has none: %+v", got)
	}
	must(t, one.Apply(Datapath{Encryption: IPsec}))
	must(t, one.Apply(Datapath{Encryption: IPsec, Tunnel: true}))
	if got := one.Stats(); !maps.Equal(got.Errors, map[string]int64{"updates": 2}) {
		t.Errorf("the encryptor did not outlive a change of the tunnel: %+v", got)
	}
	must(t, one.Apply(Datapath{}))
	if got := one.Stats(); got.Errors != nil {
		t.Errorf("the encryption is gone, its numbers are not: %+v", got)
	}
}
