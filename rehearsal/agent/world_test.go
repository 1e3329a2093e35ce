package main

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func node(name, ip string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name)},
		Spec:       corev1.NodeSpec{PodCIDRs: []string{"10.244.0.0/26"}},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}},
	}
}

func agentPod(name, onNode string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, UID: types.UID(name)},
		Spec: corev1.PodSpec{NodeName: onNode, Containers: []corev1.Container{
			{Name: agentContainer, Image: "quay.io/cilium/cilium:v1.20.2@sha256:00"},
		}},
	}
}

func worldOf(t *testing.T, nodes ...*corev1.Node) *world {
	t.Helper()
	w := newWorld(func() []*unstructured.Unstructured { return nil }, func(string) *wire.Stats { return nil })
	for _, n := range nodes {
		if _, booted, err := w.boot(n); err != nil || !booted {
			t.Fatal(booted, err)
		}
	}
	return w
}

var (
	ipsecConfig     = map[string]string{"enable-ipsec": "true", "ipsec-key-file": "/etc/ipsec/keys", "enable-l7-proxy": "false"}
	wireguardConfig = map[string]string{"enable-wireguard": "true"}
)

func keys(id, hex string) map[string][]byte {
	return map[string][]byte{"keys": []byte(id + "+ rfc4106(gcm(aes)) " + hex + " 128")}
}

func TestAgentReadsItsConfigurationWhenItStartsAndNotAgain(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	_, facts, _ := w.start(pod, inputs{config: wireguardConfig, version: "1"})
	if facts.key != wireguardKeyIndex {
		t.Fatalf("publishes key %d", facts.key)
	}
	if _, facts, _ = w.start(pod, inputs{config: nil, version: "2"}); facts.key != wireguardKeyIndex {
		t.Fatal("a running agent took a changed cilium-config")
	}
	if _, facts, _ = w.start(agentPod("cilium-b", "n1"), inputs{config: nil, version: "2"}); facts.key != 0 || facts.publicKey != "" {
		t.Fatal("a new pod did not take it")
	}
	w.stop("kube-system/cilium-a")
	if _, running := w.stateOf("kube-system/cilium-b"); !running {
		t.Fatal("the old pod's end took the new pod's agent with it")
	}
}

func TestAPodWaitsForItsSecretAndThenRuns(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	state, _, report := w.start(pod, inputs{config: ipsecConfig, missing: "secret not found", version: "1"})
	if state.waiting != reasonCreating || !report {
		t.Fatalf("%+v", state)
	}
	w.reported("kube-system/cilium-a")
	if _, _, report = w.start(pod, inputs{config: ipsecConfig, missing: "secret not found", version: "1"}); report {
		t.Fatal("reports the same twice")
	}
	state, facts, report := w.start(pod, inputs{config: ipsecConfig, secret: keys("3", aes128), version: "2"})
	if !state.running() || !report || facts.key != 3 {
		t.Fatalf("%+v %+v", state, facts)
	}
}

func TestARefusedStartIsACrashLoopUntilTheInputsChange(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	wrong := inputs{config: ipsecConfig, secret: keys("16", aes128), version: "1"}
	state, _, _ := w.start(pod, wrong)
	if state.waiting != reasonCrashLoop || !strings.Contains(state.message, "key id is 16") {
		t.Fatalf("%+v", state)
	}
	if _, answers := w.stateOf("kube-system/cilium-a"); answers {
		t.Fatal("an agent that does not run answers")
	}
	log := strings.Join(w.logsOf("kube-system/cilium-a"), "\n")
	if !strings.Contains(log, "level=fatal") || strings.Contains(log, aes128) {
		t.Fatal(log)
	}
	state, _, _ = w.start(pod, inputs{config: ipsecConfig, secret: keys("15", aes128), version: "2"})
	if !state.running() || state.restarts != 1 {
		t.Fatalf("%+v", state)
	}
}

func TestARotatedKeyCoexistsWithTheOldOneUntilItIsReclaimed(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod, key := agentPod("cilium-a", "n1"), "kube-system/cilium-a"
	w.start(pod, inputs{config: ipsecConfig, secret: keys("15", aes128), version: "1"})
	w.reported(key)
	next := inputs{config: ipsecConfig, secret: keys("1", strings.Repeat("12", 20)), version: "2"}
	if spi, coexist := w.rotate(key, next); spi != 1 || coexist.Minutes() != 5 {
		t.Fatal(spi, coexist)
	}
	if _, facts, report := w.start(pod, next); facts.key != 1 || !report {
		t.Fatalf("%+v %v", facts, report)
	}
	if state, _ := w.stateOf(key); len(state.spis) != 2 {
		t.Fatalf("%v", state.spis)
	}
	w.reclaim(key, 15)
	if state, _ := w.stateOf(key); len(state.spis) != 2 {
		t.Fatal("reclaimed for a key that is not in use any more")
	}
	w.reclaim(key, 1)
	if state, _ := w.stateOf(key); len(state.spis) != 1 || state.spis[0] != 1 {
		t.Fatalf("%v", state.spis)
	}
}

func TestABootGivesEachMachineAKeyAndABootIdOfItsOwn(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"), node("n2", "172.30.0.3"))
	a, b := w.machines["n1"], w.machines["n2"]
	if a.bootID == b.bootID || a.publicKey == b.publicKey {
		t.Fatal("shared")
	}
	if raw, err := base64.StdEncoding.DecodeString(a.publicKey); err != nil || len(raw) != 32 {
		t.Fatal(a.publicKey)
	}
	if _, booted, _ := w.boot(node("n1", "172.30.0.2")); booted {
		t.Fatal("booted twice")
	}
	remade := node("n1", "172.30.0.2")
	remade.UID = "another"
	if id, booted, _ := w.boot(remade); !booted || id == a.bootID {
		t.Fatal("a node that was made anew is the old machine")
	}
}

func TestPeersAreTheOtherNodesThatPublishAKey(t *testing.T) {
	published := func(name, ip, key string) *unstructured.Unstructured {
		return ciliumNode(ciliumNodeFacts{name: name, ip: netip.MustParseAddr(ip), publicKey: key, podCIDRs: []string{"10.244.0.0/26"}})
	}
	peers := peersOf("n1", []*unstructured.Unstructured{
		published("n1", "172.30.0.2", "K1"), published("n2", "172.30.0.3", "K2"), published("n3", "172.30.0.4", ""),
	})
	if len(peers) != 1 || peers[0].PublicKey != "K2" || peers[0].Endpoint != "172.30.0.3:51871" ||
		strings.Join(peers[0].AllowedIPs, " ") != "172.30.0.3/32 10.244.0.0/26" || peers[0].TransferRx != 0 {
		t.Fatalf("%+v", peers)
	}
}

func TestClusterPoolGivesEachNodeItsOwnPart(t *testing.T) {
	var pool podCIDRPool
	none := func() []*unstructured.Unstructured { return nil }
	got := []string{
		pool.allocate("10.0.0.0/23", 24, "a", none), pool.allocate("10.0.0.0/23", 24, "b", none),
		pool.allocate("10.0.0.0/23", 24, "a", none), pool.allocate("10.0.0.0/23", 24, "c", none),
	}
	want := []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/24", ""}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, wanted %v", got, want)
		}
	}
	if cidr := pool.allocate("10.1.0.0/23", 24, "b", none); cidr != "10.1.0.0/24" {
		t.Fatalf("after a change of the pool: %s", cidr)
	}
	var restarted podCIDRPool
	held := func() []*unstructured.Unstructured {
		return []*unstructured.Unstructured{
			ciliumNode(ciliumNodeFacts{name: "b", podCIDRs: []string{"10.0.0.0/24"}}),
			ciliumNode(ciliumNodeFacts{name: "c", podCIDRs: []string{"192.168.0.0/24"}}),
		}
	}
	if cidr := restarted.allocate("10.0.0.0/23", 24, "a", held); cidr != "10.0.1.0/24" {
		t.Fatalf("gives a node what another holds: %s", cidr)
	}
	if cidr := restarted.allocate("10.0.0.0/23", 24, "b", held); cidr != "10.0.0.0/24" {
		t.Fatalf("takes from a node what it holds: %s", cidr)
	}
}

func TestOverridesOfANodeWinOverTheConfig(t *testing.T) {
	override := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"nodeSelector": map[string]any{"matchLabels": map[string]any{"plain": "yes"}},
		"defaults":     map[string]any{"enable-wireguard": "false"},
	}}}
	for value, want := range map[string]string{"yes": "false", "no": "true"} {
		got := withOverrides(wireguardConfig, []*unstructured.Unstructured{override}, map[string]string{"plain": value})
		if got["enable-wireguard"] != want {
			t.Errorf("plain=%s: %v", value, got)
		}
	}
	if wireguardConfig["enable-wireguard"] != "true" {
		t.Error("the shared config was changed")
	}
}

func TestARebootIsANewMachineWithTheSameAgentsPod(t *testing.T) {
	w := worldOf(t, node("n1", "172.30.0.2"))
	pod := agentPod("cilium-a", "n1")
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	_, before, _ := w.start(pod, inputs{config: wireguardConfig, version: "1"})
	w.remove("n1")
	if _, _, report := w.start(pod, inputs{config: wireguardConfig, version: "1"}); report {
		t.Fatal("an agent runs on a machine that is off")
	}
	if _, booted, err := w.boot(node("n1", "172.30.0.2")); err != nil || !booted {
		t.Fatal(booted, err)
	}
	state, after, report := w.start(pod, inputs{config: wireguardConfig, version: "1"})
	if !report || !state.running() || state.restarts != 1 {
		t.Fatalf("the agent did not start again: %+v", state)
	}
	if before.bootID == after.bootID || before.publicKey == after.publicKey {
		t.Fatal("the boot id or the WireGuard key outlived the reboot")
	}
}
