package main

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func workloadPod(name string, policy corev1.RestartPolicy, containers ...corev1.Container) *corev1.Pod {
	pod := &corev1.Pod{Spec: corev1.PodSpec{NodeName: "n1", RestartPolicy: policy, Containers: containers}}
	pod.Namespace, pod.Name, pod.UID = "default", name, types.UID(name)
	return pod
}

// until waits for something that takes moments.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came: " + what)
		}
	}
}

func TestWithoutAWirePodsRunAndTheirCommandsSayWhyNot(t *testing.T) {
	net, err := newNetwork(wireOff)
	if err != nil {
		t.Fatal(err)
	}
	if state := net.state(); state.On || state.Why == "" || net.stats("n1") != nil {
		t.Fatalf("%+v", state)
	}
	if err := net.canOrder(wire.Fault{Kind: wire.Leak, Node: "n1"}); err == nil {
		t.Error("takes orders for a wire that is not there")
	}
	ip, where, err := net.addPod("n1", "default/a", netip.MustParsePrefix("10.244.0.0/24"))
	if err != nil || ip.String() != "10.244.0.2" {
		t.Fatal(ip, err)
	}
	s := newSandbox(workloadPod("a", corev1.RestartPolicyAlways, corev1.Container{Name: "c", Command: []string{"sleep", "infinity"}}), ip, "172.30.0.2", where)
	s.run()
	defer s.finish()
	until(t, "a running pod", func() bool { return s.status().Phase == corev1.PodRunning })
	exit, err := kubelet{world: worldOf(t), network: net}.execInWorkload(context.Background(), s, "c", []string{"id"}, nil, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "no wire") {
		t.Fatal(exit, err)
	}
	if _, err := newNetwork("perhaps"); err == nil {
		t.Error("takes any choice")
	}
}

func TestADeadlineEndsAPodAndLeavesItsNetwork(t *testing.T) {
	pod := workloadPod("a", corev1.RestartPolicyAlways, corev1.Container{Name: "c"})
	seconds := int64(1)
	pod.Spec.ActiveDeadlineSeconds = &seconds
	s := newSandbox(pod, netip.MustParseAddr("10.244.0.2"), "172.30.0.2", nil)
	left := false
	s.leave = func() { left = true }
	s.run()
	until(t, "the deadline", func() bool { return s.status().Phase == corev1.PodFailed })
	s.finish()
	if status := s.status(); status.Reason != "DeadlineExceeded" || status.ContainerStatuses[0].State.Terminated == nil || !left {
		t.Fatalf("%+v", status)
	}
}

// wiredNetwork is one with real packets and without a node; where there are none the test is skipped.
func wiredNetwork(t *testing.T) *network {
	t.Helper()
	if err := wire.Available(); err != nil {
		t.Skip(err)
	}
	net, err := newNetwork(wireOn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(net.close)
	return net
}

// smallWorld is two nodes on a wire whose agents encrypt with WireGuard.
func smallWorld(t *testing.T) (*world, *network) {
	t.Helper()
	net := wiredNetwork(t)
	var published []*unstructured.Unstructured
	w := newWorld(func() []*unstructured.Unstructured { return published }, net.stats)
	for i, name := range []string{"n1", "n2"} {
		ip := netip.AddrFrom4([4]byte{172, 30, 0, byte(2 + i)})
		n := node(name, ip.String())
		n.Spec.PodCIDRs = []string{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 244, byte(i), 0}), 24).String()}
		if _, _, err := w.boot(n); err != nil {
			t.Fatal(err)
		}
		if err := net.addNode(name, ip, firstPrefix(n.Spec.PodCIDRs)); err != nil {
			t.Fatal(err)
		}
		_, facts, _ := w.start(agentPod("cilium-"+name, name), inputs{config: wireguardConfig, version: "1"})
		published = append(published, ciliumNode(facts))
	}
	r := &runner{world: w, network: net}
	for _, name := range []string{"n1", "n2"} {
		if err := r.applyDatapath(name); err != nil {
			t.Fatal(err)
		}
	}
	return w, net
}

func TestPodsOfTwoNodesTalkAndTheAgentsTellIt(t *testing.T) {
	w, net := smallWorld(t)
	place := func(node, name string, cidr string, container corev1.Container) *sandbox {
		ip, where, err := net.addPod(node, "default/"+name, netip.MustParsePrefix(cidr))
		if err != nil {
			t.Fatal(err)
		}
		s := newSandbox(workloadPod(name, corev1.RestartPolicyAlways, container), ip, "172.30.0.2", where)
		s.run()
		t.Cleanup(s.finish)
		until(t, name, func() bool { return s.status().Phase == corev1.PodRunning })
		return s
	}
	server := place("n2", "web", "10.244.1.0/24", corev1.Container{Name: "c", Image: "nginx"})
	client := place("n1", "client", "10.244.0.0/24", corev1.Container{Name: "c", Command: []string{"sleep", "infinity"}})
	k := kubelet{world: w, network: net, workloads: &workloads{pods: map[string]*sandbox{"default/client": client}}}
	run := func(in string, argv ...string) (string, int) {
		var out bytes.Buffer
		exit, err := k.execInWorkload(context.Background(), client, "c", argv, strings.NewReader(in), &out, &out)
		if err != nil {
			t.Fatal(argv, err)
		}
		return out.String(), exit
	}
	ask := "exec 3<>/dev/tcp/" + server.ip.String() + "/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
	until(t, "an answer over the wire", func() bool {
		page, _ := run("", "timeout", "2", "bash", "-c", ask)
		return strings.Contains(page, "Welcome to default/web")
	})
	if out, exit := run("a\nb\n", "sh", "-c", "wc -l; id -u; grep CapEff /proc/self/status; exit 7"); exit != 7 || strings.Join(strings.Fields(out), " ") != "2 65534 CapEff: 0000000000000000" {
		t.Errorf("exit %d, %q", exit, out)
	}
	state, _ := w.stateOf("kube-system/cilium-n1")
	if len(state.peers) != 1 || state.peers[0].TransferTx == 0 || state.peers[0].TransferRx == 0 || state.peers[0].LastHandshakeTime == never {
		t.Errorf("%+v", state.peers)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	begun := time.Now()
	if _, err := k.execInWorkload(ctx, client, "c", []string{"sh", "-c", "setsid sleep 20.125 & sleep 20"}, nil, nil, nil); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("goes on without its client: %v after %s", err, time.Since(begun))
	}
	// What a command leaves in a container stays in it, and ends with it.
	left := func() bool { return exec.Command("pgrep", "-f", "^sleep 20.125").Run() == nil }
	if !left() {
		t.Error("what a command left did not stay in its container")
	}
	client.finish()
	until(t, "the end of what it left", func() bool { return !left() })
	if _, err := k.execInWorkload(context.Background(), client, "c", []string{"true"}, nil, nil, nil); err == nil {
		t.Error("runs commands in a pod that has ended")
	}
}

// An agent runs a moment before the wire knows what it decided.
func TestAPodHasAnAddressOfTheCIDRThatItsAgentDecidedOn(t *testing.T) {
	net := wiredNetwork(t)
	if err := net.addNode("n1", netip.MustParseAddr("172.30.0.2"), netip.MustParsePrefix("10.244.0.0/26")); err != nil {
		t.Fatal(err)
	}
	ip, _, err := net.addPod("n1", "default/a", netip.MustParsePrefix("10.244.5.0/24"))
	if want := "10.244.5.2"; err != nil || ip.String() != want {
		t.Errorf("%s, %v; not %s", ip, err, want)
	}
}

func TestTheBridgeGetsBackTheRulesOfAnEarlierProcess(t *testing.T) {
	net := wiredNetwork(t)
	path := filepath.Join(t.TempDir(), "bridge.nft")
	if err := net.restoreRules(path); err != nil {
		t.Fatal("without rules:", err)
	}
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("table bridge kept\ndelete table bridge kept\ntable bridge kept {\n}\n")
	if err := net.restoreRules(path); err != nil {
		t.Fatal(err)
	}
	var listed strings.Builder
	list := exec.Command("nft", "list", "tables")
	list.Stdout = &listed
	if err := net.lan.Namespace().Start(list); err != nil {
		t.Fatal(err)
	}
	if err := list.Wait(); err != nil || listed.String() != "table bridge kept\n" {
		t.Fatal(err, listed.String())
	}
	write("no rules")
	if err := net.restoreRules(path); err == nil {
		t.Fatal("rules that nft does not take were no error")
	}
}
