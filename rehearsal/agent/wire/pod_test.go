package wire

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestThirtyPodsOfANode(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 2)
	one := lan.Node("node1")
	applyToAll(t, lan, Datapath{Tunnel: true})
	seen := map[netip.Addr]bool{}
	var pods []*Pod
	for i := range 30 {
		pod := addPod(t, lan, 1, fmt.Sprint(i))
		if seen[pod.IP()] || !one.podCIDR.Contains(pod.IP()) || pod.IP() == hostAddress(one.podCIDR) {
			t.Errorf("pod %d has %s", i, pod.IP())
		}
		seen[pod.IP()] = true
		serveEcho(t, pod.Namespace())
		pods = append(pods, pod)
	}
	if again := addPod(t, lan, 1, "7"); again != pods[7] {
		t.Error("the same id is another pod")
	}
	other := addPod(t, lan, 2, "other")
	for _, pod := range pods {
		mustEcho(t, other.Namespace(), pod.IP(), "from the other node")
		mustEcho(t, pods[0].Namespace(), pod.IP(), "from the same node")
		mustEcho(t, one.Namespace(), pod.IP(), "from the node")
	}
	for i := range pods {
		must(t, one.RemovePod(fmt.Sprint(i)))
		must(t, one.RemovePod(fmt.Sprint(i)))
	}
	if got := devices(t, one.handle); got != "cilium_host cilium_net cilium_vxlan eth0 lo" {
		t.Error("pods leave devices: " + got)
	}
	if pod := addPod(t, lan, 1, "next"); seen[pod.IP()] {
		t.Error("an address is used again at once: " + pod.IP().String())
	}
}

func TestAddressesOfPodsRunOutAndComeBack(t *testing.T) {
	t.Parallel()
	lan := newTestLAN(t, 0)
	node, err := lan.AddNode("small", netip.MustParsePrefix("172.30.0.1/16"), netip.MustParsePrefix("10.244.0.8/29"))
	must(t, err)
	var got []string
	for i := range 5 { // of 8: not the network's, the node's and the broadcast address
		pod, err := node.AddPod(fmt.Sprint(i))
		must(t, err)
		got = append(got, pod.IP().String())
	}
	if want := "10.244.0.10 10.244.0.11 10.244.0.12 10.244.0.13 10.244.0.14"; strings.Join(got, " ") != want {
		t.Errorf("%v, not %s", got, want)
	}
	if _, err := node.AddPod("one more"); err == nil || !strings.Contains(err.Error(), "no free address") {
		t.Errorf("one more: %v", err)
	}
	must(t, node.RemovePod("2"))
	pod, err := node.AddPod("one more")
	must(t, err)
	if pod.IP().String() != "10.244.0.12" {
		t.Errorf("%s is not the one that came free", pod.IP())
	}
}
