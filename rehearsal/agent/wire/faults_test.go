package wire

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestLeaksAreInClearForTheirPeerAlone(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 3)
	pods := map[int]*Pod{}
	for i := 1; i <= 3; i++ {
		pods[i] = addPod(t, lan, i, "pod")
		serveEcho(t, pods[i].Namespace())
		serveEcho(t, lan.Node(nodeName(i)).Namespace())
	}
	one := lan.Node("node1")
	for _, datapath := range encryptedDatapaths {
		t.Run(fmt.Sprintf("%+v,nodes=%v", modeOf(datapath), datapath.EncryptNodes), func(t *testing.T) {
			applyToAll(t, lan, datapath)
			must(t, lan.SetFaults([]Fault{{Kind: Leak, Node: "node1", Peer: "node2"}}))
			outside := recordBridge(t, lan)
			mustEcho(t, pods[1].Namespace(), pods[2].IP(), "to the leak")
			mustEcho(t, pods[1].Namespace(), pods[3].IP(), "to another")
			mustEcho(t, pods[3].Namespace(), pods[2].IP(), "between others")
			mustEcho(t, one.Namespace(), lan.Node("node2").address.Addr(), "node to node")
			if !outside.shows("to the leak") {
				t.Error("nothing leaks")
			}
			if outside.shows("to another") || outside.shows("between others") {
				t.Error("what was not to leak does")
			}
			if !outside.shows("node to node") {
				t.Error("nodes' packets do not leak")
			}
			must(t, lan.SetFaults(nil))
			healed := recordBridge(t, lan)
			mustEcho(t, pods[1].Namespace(), pods[2].IP(), "healed")
			if healed.shows("healed") {
				t.Error("the leak does not end")
			}
		})
	}
}

func TestCopiesInClearReachTheCable(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	one, two := lan.Node("node1").address.Addr(), lan.Node("node2").address.Addr()
	sender, err := newPlainSender(lan.Node("node1").Namespace())
	must(t, err)
	t.Cleanup(func() { must(t, sender.close()) })
	for _, datapath := range encryptedDatapaths {
		applyToAll(t, lan, datapath)
		outside := recordBridge(t, lan)
		must(t, sender.send(udpPacket(a.IP(), b.IP(), 7000, "a pod's")))
		must(t, sender.send(udpPacket(one, two, tunnelPort, "the tunnel's")))
		if !outside.shows("a pod's") || !outside.shows("the tunnel's") {
			t.Errorf("%+v: not in clear: a pod's %v, the tunnel's %v", modeOf(datapath), !outside.shows("a pod's"), !outside.shows("the tunnel's"))
		}
	}
	if sender.send([]byte("no packet")) == nil {
		t.Error("what is no packet is sent")
	}
}

// udpPacket is a whole IPv4 packet, with the checksums that the kernel fills in or nobody needs.
func udpPacket(from, to netip.Addr, port uint16, text string) []byte {
	size := 28 + len(text)
	packet := []byte{0x45, 0, byte(size >> 8), byte(size), 0, 0, 0, 0, 64, 17, 0, 0}
	packet = append(append(packet, from.AsSlice()...), to.AsSlice()...)
	packet = append(packet, byte(port>>8), byte(port), byte(port>>8), byte(port), byte((size-20)>>8), byte(size-20), 0, 0)
	return append(packet, text...)
}

func TestAMissingPeerIsCutOffNotLeaked(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 3)
	a, b, c := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b"), addPod(t, lan, 3, "c")
	serveEcho(t, b.Namespace())
	serveEcho(t, c.Namespace())
	for _, datapath := range encryptedDatapaths[:4] {
		applyToAll(t, lan, datapath)
		must(t, lan.Node("node1").SetFaults([]Fault{{Kind: PeerMissing, Node: "node1", Peer: "node2"}}))
		outside := recordBridge(t, lan)
		if echo(a.Namespace(), "udp4", b.IP(), "lost", shortly) == nil || outside.shows("lost") {
			t.Errorf("%+v: packets pass without the peer", modeOf(datapath))
		}
		mustEcho(t, a.Namespace(), c.IP(), "to another")
		must(t, lan.Node("node1").SetFaults(nil))
		mustEcho(t, a.Namespace(), b.IP(), "healed")
	}
}

func TestPartitionCutsTheNodeOff(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 3)
	a, b, c := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b"), addPod(t, lan, 3, "c")
	serveEcho(t, b.Namespace())
	serveEcho(t, c.Namespace())
	applyToAll(t, lan, Datapath{Tunnel: true})
	reaches := func(from, to *Pod) bool { return echo(from.Namespace(), "udp4", to.IP(), "text", shortly) == nil }

	must(t, lan.SetFaults([]Fault{{Kind: Partition, Node: "node2"}}))
	if reaches(a, b) || reaches(c, b) || !reaches(a, c) {
		t.Error("node2 alone is to be cut off")
	}
	needsNFT(t)
	must(t, lan.SetFaults([]Fault{{Kind: Partition, Node: "node1", Peer: "node2"}}))
	if reaches(a, b) || !reaches(c, b) || !reaches(a, c) {
		t.Error("node1 and node2 are to be cut off from each other")
	}
	must(t, lan.SetFaults(nil))
	if !reaches(a, b) || !reaches(c, b) {
		t.Error("the cut does not heal")
	}
}

func TestLossLosesItsShare(t *testing.T) {
	t.Parallel()
	needsNFT(t)
	lan := newScrambledLAN(t, 2)
	a, b := addPod(t, lan, 1, "a"), addPod(t, lan, 2, "b")
	applyToAll(t, lan, Datapath{})
	must(t, lan.SetFaults([]Fault{{Kind: Loss, Node: "node1", Percent: 30}}))
	for _, pair := range [][2]*Pod{{a, b}, {b, a}} {
		const sent = 1000
		if arrived := arriving(t, pair[0], pair[1], sent); arrived < 600 || arrived > 800 {
			t.Errorf("%d of %d packets arrive with 30 %% loss", arrived, sent)
		}
	}
	must(t, lan.SetFaults([]Fault{{Kind: Loss, Node: "node1", Percent: 100}}))
	if arrived := arriving(t, a, b, 50); arrived != 0 {
		t.Errorf("%d packets arrive with 100 %% loss", arrived)
	}
	must(t, lan.SetFaults(nil))
	if arrived := arriving(t, a, b, 50); arrived != 50 {
		t.Errorf("%d of 50 packets arrive without loss", arrived)
	}
}

func TestFaultsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	lan := newScrambledLAN(t, 1)
	for _, each := range []struct {
		fault Fault
		why   string
	}{
		{Fault{Kind: Leak, Node: "node7"}, "node7"},
		{Fault{Kind: Loss, Node: "node1", Percent: 101}, "101"},
		{Fault{Kind: Loss, Node: "node1"}, "0 %"},
	} {
		if err := lan.SetFaults([]Fault{each.fault}); err == nil || !strings.Contains(err.Error(), each.why) {
			t.Errorf("%+v: %v", each.fault, err)
		}
	}
}

func TestLossRulesSayWhatIsLostWhere(t *testing.T) {
	ports := map[string]string{"a": "port1", "b": "port2"}
	for _, each := range []struct {
		faults []Fault
		want   []string
	}{
		{nil, nil},
		{[]Fault{{Kind: Leak, Node: "a"}, {Kind: Partition, Node: "a"}}, nil},
		{[]Fault{{Kind: Loss, Node: "a", Percent: 7}}, []string{
			`hook prerouting priority 0; policy accept;|iifname "port1" numgen random mod 100 < 7 drop`,
			`hook postrouting priority 0; policy accept;|oifname "port1" numgen random mod 100 < 7 drop`,
		}},
		{[]Fault{{Kind: Partition, Node: "b", Peer: "a"}}, []string{
			`hook forward priority 0; policy accept;|iifname "port1" oifname "port2" drop|iifname "port2" oifname "port1" drop`,
		}},
	} {
		ruleset := strings.ReplaceAll(lossRules(each.faults, ports).ruleset(), "\n", "|")
		if !strings.HasPrefix(ruleset, "add table bridge wirecloak_loss|delete table bridge wirecloak_loss|") {
			t.Errorf("%+v: the table is not replaced: %s", each.faults, ruleset)
		}
		for _, want := range each.want {
			if !strings.Contains(ruleset, want) {
				t.Errorf("%+v: not in there: %s\nin: %s", each.faults, want, ruleset)
			}
		}
		if strings.Count(ruleset, "drop") == 0 != (each.want == nil) {
			t.Errorf("%+v: %s", each.faults, ruleset)
		}
	}
}

func needsNFT(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		cannotRun(t, "there is no nft")
	}
}

// arriving sends that many datagrams and counts those that arrive.
func arriving(t *testing.T, from, to *Pod, count int) int {
	t.Helper()
	var receiver net.PacketConn
	must(t, to.Namespace().Do(func() (err error) {
		receiver, err = net.ListenPacket("udp4", ":9000")
		return err
	}))
	defer receiver.Close()
	arrived := make(chan int)
	go func() {
		count, buffer := 0, make([]byte, 16)
		for {
			_ = receiver.SetReadDeadline(time.Now().Add(shortly))
			if _, _, err := receiver.ReadFrom(buffer); err != nil {
				arrived <- count
				return
			}
			count++
		}
	}()
	must(t, from.Namespace().Do(func() error {
		sender, err := net.Dial("udp4", netip.AddrPortFrom(to.IP(), 9000).String())
		if err != nil {
			return err
		}
		defer sender.Close()
		for i := range count {
			if _, err := sender.Write([]byte("text")); err != nil {
				return err
			}
			if i%50 == 0 { // for the receiver's buffer
				time.Sleep(time.Millisecond)
			}
		}
		return nil
	}))
	return <-arrived
}
