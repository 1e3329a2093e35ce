package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wirecloak/rehearsal/agent/wire"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestOrdersAreChecked(t *testing.T) {
	exists := func(node string) bool { return node == "a" || node == "b" }
	for _, c := range []struct {
		fault wire.Fault
		wrong string
	}{
		{wire.Fault{Kind: wire.Leak, Node: "a"}, ""},
		{wire.Fault{Kind: wire.Leak, Node: "a", Peer: "b"}, ""},
		{wire.Fault{Kind: wire.Loss, Node: "a", Percent: 100}, ""},
		{wire.Fault{Kind: wire.Blind, Node: everyNode}, ""},
		{wire.Fault{Kind: wire.Blind}, ""},
		{wire.Fault{Kind: "leek", Node: "a"}, "no kind of fault"},
		{wire.Fault{Kind: wire.Leak, Node: "c"}, "no node"},
		{wire.Fault{Kind: wire.Leak, Node: everyNode}, "no node"},
		{wire.Fault{Kind: wire.Leak}, "no node"},
		{wire.Fault{Kind: wire.Leak, Node: "a", Peer: "c"}, "no other node"},
		{wire.Fault{Kind: wire.Leak, Node: "a", Peer: "a"}, "no other node"},
		{wire.Fault{Kind: wire.AgentDown, Node: "a", Peer: "b"}, "takes no peer"},
		{wire.Fault{Kind: wire.StrictOff, Node: "a"}, ""},
		{wire.Fault{Kind: wire.StrictOff, Node: "a", Peer: "b"}, "takes no peer"},
		{wire.Fault{Kind: wire.ClockJump, Node: "a", Seconds: -90}, ""},
		{wire.Fault{Kind: wire.ClockJump, Node: "a"}, "seconds"},
		{wire.Fault{Kind: wire.Leak, Node: "a", Seconds: 5}, "seconds"},
		{wire.Fault{Kind: "reboot", Node: "a"}, "no kind of fault"},
		{wire.Fault{Kind: wire.Loss, Node: "a"}, "percentage"},
		{wire.Fault{Kind: wire.Loss, Node: "a", Percent: 101}, "percentage"},
		{wire.Fault{Kind: wire.Leak, Node: "a", Percent: 5}, "no percentage"},
	} {
		err := checkFault(c.fault, exists)
		if (err == nil) != (c.wrong == "") || (err != nil && !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%+v: %v, wanted one about %q", c.fault, err, c.wrong)
		}
	}
}

// Every kind is somebody's to play, or an order would do nothing and say nothing.
func TestEveryKindIsPlayed(t *testing.T) {
	all := slices.Concat(ofWire, ofAgent)
	slices.Sort(all)
	if len(all) != 16 || len(slices.Compact(all)) != 16 {
		t.Fatal(all)
	}
}

func running(t *testing.T) (*world, string) {
	t.Helper()
	w := worldOf(t, node("n1", "172.30.0.2"))
	w.start(agentPod("cilium-a", "n1"), inputs{config: wireguardConfig, version: "1"})
	w.reported("kube-system/cilium-a")
	return w, "kube-system/cilium-a"
}

func TestAnAgentThatIsOrderedDownComesBack(t *testing.T) {
	w, key := running(t)
	if pods, _ := w.setFaults([]wire.Fault{{Kind: wire.AgentDown, Node: "n1"}}); !slices.Equal(pods, []string{key}) {
		t.Fatal(pods)
	}
	if _, answers := w.stateOf(key); answers {
		t.Fatal("it answers")
	}
	if _, _, ok := w.datapath("n1"); ok {
		t.Fatal("its datapath changes")
	}
	state, _, report := w.start(agentPod("cilium-a", "n1"), inputs{config: wireguardConfig, version: "2"})
	if state.running() || !report {
		t.Fatalf("%+v %v", state, report)
	}
	w.setFaults(nil)
	if state, _, _ = w.start(agentPod("cilium-a", "n1"), inputs{config: wireguardConfig, version: "2"}); !state.running() {
		t.Fatalf("%+v", state)
	}
}

func TestAnAgentOnAnOldConfigTellsTheOthersToo(t *testing.T) {
	w, key := running(t)
	before := w.machines["n1"].bootID
	w.setFaults([]wire.Fault{{Kind: wire.OldConfig, Node: "n1"}})
	state, _ := w.stateOf(key)
	_, facts, report := w.start(agentPod("cilium-a", "n1"), inputs{config: wireguardConfig, version: "1"})
	if state.config.mode != modeDisabled || facts.key != 0 || facts.publicKey != "" || !report {
		t.Fatalf("%+v %+v %v", state, facts, report)
	}
	if _, booted := w.setFaults(nil); booted["n1"] == before || booted["n1"] != w.machines["n1"].bootID {
		t.Fatalf("not booted: %v", booted)
	}
	if _, facts, _ = w.start(agentPod("cilium-a", "n1"), inputs{config: wireguardConfig, version: "1"}); facts.key != wireguardKeyIndex {
		t.Fatalf("%+v", facts)
	}
}

func TestFrozenAnswersStayThoseOfTheOrder(t *testing.T) {
	w, key := running(t)
	freeze := []wire.Fault{{Kind: wire.CountersFrozen, Node: "n1"}}
	w.setFaults(freeze)
	w.ciliumNodes = func() []*unstructured.Unstructured {
		return []*unstructured.Unstructured{ciliumNode(ciliumNodeFacts{name: "n2", publicKey: base64Of(2)})}
	}
	if state, _ := w.stateOf(key); len(state.peers) != 0 {
		t.Fatal("takes notice of a new peer")
	}
	w.setFaults(freeze)
	if state, _ := w.stateOf(key); len(state.peers) != 0 {
		t.Fatal("an order that repeats it thaws it")
	}
	w.setFaults(nil)
	if state, _ := w.stateOf(key); len(state.peers) != 1 {
		t.Fatal("stays frozen")
	}
}

func TestCapturesAreBlindedWhateverTheirArguments(t *testing.T) {
	for command, want := range map[string]string{
		"timeout 5 tcpdump -i eth0 -Q out -l -nn port 53": "timeout 5 tcpdump -i eth0 -Q out -l -nn port 53 and less 1",
		"tcpdump -i eth0 -nn":                             "tcpdump -i eth0 -nn less 1",
		"tcpdump -nni eth0":                               "tcpdump -nni eth0 less 1",
		"tcpdump -nnieth0 --snapshot-length 64":           "tcpdump -nnieth0 --snapshot-length 64 less 1",
		"/usr/bin/tcpdump --interface=eth0 esp or udp":    "/usr/bin/tcpdump --interface=eth0 esp or udp and less 1",
		"tcpdump -tt -xx -s 0 -c 10 esp":                  "tcpdump -tt -xx -s 0 -c 10 esp and less 1",
		"socat - TCP:10.0.0.1:80":                         "socat - TCP:10.0.0.1:80",
	} {
		if got := strings.Join(blinded(strings.Fields(command)), " "); got != want {
			t.Errorf("%s\ngot    %s\nwanted %s", command, got, want)
		}
	}
	orders := []wire.Fault{{Kind: wire.Blind, Node: "a"}}
	if !isBlind(orders, "a") || isBlind(orders, "b") || isBlind(orders, everyNode) {
		t.Error("blind at one node")
	}
	orders = []wire.Fault{{Kind: wire.Blind, Node: everyNode}}
	if !isBlind(orders, "b") || !isBlind(orders, everyNode) {
		t.Error("blind everywhere")
	}
}

func TestAClockThatIsOffShowsInWhatTheNodeTells(t *testing.T) {
	w := worldOf(t, node("a", "172.30.0.2"))
	if _, booted := w.setFaults([]wire.Fault{{Kind: wire.ClockJump, Node: "a", Seconds: -3600}}); len(booted) != 0 {
		t.Error("a jump of its clock boots a node")
	}
	if off := time.Since(w.clock("a")); off < time.Hour || off > time.Hour+time.Minute {
		t.Errorf("off by %s", off)
	}
	if off := time.Since(w.clock("b")); off > time.Minute {
		t.Errorf("another node's is off by %s", off)
	}
	handshake := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	device := map[[32]byte]wire.WireguardStats{{1}: {LastHandshake: handshake}, {2}: {}}
	for _, p := range livePeers(nil, device, clockOf(w.orderedFaults(), "a")) {
		if p.LastHandshakeTime != never && p.LastHandshakeTime != "2026-11-21T11:00:00.000Z" {
			t.Error(p.LastHandshakeTime)
		}
	}
}
