package wire

import (
	"net/netip"
	"testing"
)

// With IPAM of its own, Cilium gives nodes other CIDRs than Kubernetes planned: wider ones, which the plans of several nodes lie in.
func TestAgentsGiveNodesPodCIDRsThatOverlapWithThosePlanned(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 0)
	for i, each := range []struct{ address, planned, decided string }{
		// cilium_host has the same address in both.
		{"172.30.0.1/16", "10.244.0.0/26", "10.244.0.0/24"},
		{"172.30.0.2/16", "10.244.0.64/26", "10.244.1.0/24"},
		// Joins when the first has all of its plan.
		{"172.30.0.3/16", "10.244.0.128/26", "10.244.2.0/24"},
	} {
		node, err := lan.AddNode(nodeName(i+1), netip.MustParsePrefix(each.address), netip.MustParsePrefix(each.planned))
		must(t, err)
		must(t, node.SetPodCIDR(netip.MustParsePrefix(each.decided)))
		applyToAll(t, lan, Datapath{Tunnel: true, Encryption: Wireguard})
	}
	for i := range 3 {
		from := addPod(t, lan, i+1, "from")
		if cidr := lan.Node(nodeName(i + 1)).podCIDR; cidr.Bits() != 24 || !cidr.Contains(from.IP()) {
			t.Errorf("a pod has %s, and its node %s", from.IP(), cidr)
		}
		to := addPod(t, lan, (i+1)%3+1, "to")
		serveEcho(t, to.Namespace())
		mustEcho(t, from.Namespace(), to.IP(), "from pod to pod")
		mustEcho(t, lan.Node(nodeName(i+1)).Namespace(), to.IP(), "from node to pod")
	}
}

func TestANodeTakesAnotherPodCIDRWhileItSends(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 2)
	applyToAll(t, lan, Datapath{Encryption: Wireguard})
	before := addPod(t, lan, 1, "before")
	serveEcho(t, before.Namespace())
	must(t, lan.Node("node1").SetPodCIDR(netip.MustParsePrefix("10.244.7.0/24")))
	applyToAll(t, lan, Datapath{Encryption: Wireguard})
	after, other := addPod(t, lan, 1, "after"), addPod(t, lan, 2, "other")
	serveEcho(t, after.Namespace())
	if want := "10.244.7.2"; after.IP().String() != want {
		t.Errorf("a new pod has %s, not %s", after.IP(), want)
	}
	mustEcho(t, other.Namespace(), after.IP(), "to the new pod")
	mustEcho(t, after.Namespace(), before.IP(), "between pods of the old and the new CIDR of a node")
	for _, cidr := range []string{"fd00::/64", "10.244.7.0/30"} {
		if err := lan.Node("node1").SetPodCIDR(netip.MustParsePrefix(cidr)); err == nil {
			t.Errorf("a node takes %s", cidr)
		}
	}
}
