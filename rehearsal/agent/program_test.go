package main

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestWhatAContainerRuns(t *testing.T) {
	has := func(name string) bool { return name == "sleep" }
	for _, c := range []struct {
		name      string
		container corev1.Container
		want      string
	}{
		{"command and arguments", corev1.Container{Image: "nginx", Command: []string{"sh", "-c"}, Args: []string{"echo $(NODE) $$(NODE) $(NONE)"}}, "[sh -c echo n1 $(NODE) $(NONE)] 0"},
		{"a web server", corev1.Container{Image: "registry.example:5000/library/nginx:1.27"}, "[] 80"},
		{"a web server on its port", corev1.Container{Image: "x/http-echo", Ports: []corev1.ContainerPort{{ContainerPort: 5678}}}, "[] 5678"},
		{"a registry is no web server", corev1.Container{Image: "http.example/pause"}, "[] 0"},
		{"arguments that are a command", corev1.Container{Image: "netshoot", Args: []string{"sleep", "infinity"}}, "[sleep infinity] 0"},
		{"arguments of an unknown command", corev1.Container{Image: "x", Args: []string{"--flag"}}, "[] 0"},
	} {
		if p := programOf(c.container, map[string]string{"NODE": "n1"}, has); fmt.Sprint(p.argv, p.httpPort) != c.want {
			t.Errorf("%s: %v", c.name, p)
		}
	}
}

func TestOnlyTheCapabilityThatIsAskedForIsGiven(t *testing.T) {
	with := func(capabilities ...corev1.Capability) corev1.Container {
		return corev1.Container{SecurityContext: &corev1.SecurityContext{Capabilities: &corev1.Capabilities{Add: capabilities}}}
	}
	privileged := true
	if !mayCapture(with("NET_RAW")) || mayCapture(with("NET_ADMIN", "SYS_ADMIN")) || mayCapture(corev1.Container{}) ||
		mayCapture(corev1.Container{SecurityContext: &corev1.SecurityContext{Privileged: &privileged}}) {
		t.Fail()
	}
}

func TestPodAddressesLeaveOutTheNodesOwnAndGoRound(t *testing.T) {
	var addresses podAddresses
	cidr := netip.MustParsePrefix("10.0.0.0/29")
	var got []string
	for range 5 {
		ip, _ := addresses.take(cidr)
		got = append(got, ip.String())
	}
	if strings.Join(got, " ") != "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6" {
		t.Fatal(got)
	}
	if ip, ok := addresses.take(cidr); ok {
		t.Fatal(ip)
	}
	addresses.giveBack(netip.MustParseAddr("10.0.0.3"))
	if ip, ok := addresses.take(cidr); !ok || ip.String() != "10.0.0.3" {
		t.Fatal(ip)
	}
	if ip, ok := addresses.take(netip.MustParsePrefix("10.1.0.0/24")); !ok || ip.String() != "10.1.0.2" {
		t.Fatal("another CIDR: ", ip)
	}
	if _, ok := addresses.take(netip.Prefix{}); ok {
		t.Fatal("from no CIDR")
	}
}

func TestLogsAreBoundedByWholeLines(t *testing.T) {
	var log containerLog
	for i := range 40_000 {
		fmt.Fprintf(&log, "line %d\n", i)
	}
	text, place := log.since(0)
	if len(text) > 2*logBytesPerContainer || len(text) < logBytesPerContainer/2 || !strings.HasPrefix(string(text), "line ") || !strings.HasSuffix(string(text), "line 39999\n") {
		t.Fatalf("%d bytes: %.20q", len(text), text)
	}
	fmt.Fprint(&log, "more\n")
	if text, _ = log.since(place); string(text) != "more\n" {
		t.Fatalf("%q", text)
	}
	for lines, want := range map[int]string{-1: "a\nb\nc\n", 0: "", 1: "c\n", 2: "b\nc\n", 9: "a\nb\nc\n"} {
		if got := string(tail([]byte("a\nb\nc\n"), lines)); got != want {
			t.Errorf("%d: %q", lines, got)
		}
	}
}

func TestPhases(t *testing.T) {
	running := corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	ended := func(exit int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exit}}}
	}
	waiting := corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}
	again := waiting
	again.LastTerminationState = ended(1).State
	type list = []corev1.ContainerStatus
	for _, c := range []struct {
		policy corev1.RestartPolicy
		inits  list
		mains  list
		want   corev1.PodPhase
	}{
		{corev1.RestartPolicyAlways, nil, list{waiting}, corev1.PodPending},
		{corev1.RestartPolicyAlways, nil, list{running, waiting}, corev1.PodRunning},
		{corev1.RestartPolicyAlways, nil, list{again}, corev1.PodRunning},
		{corev1.RestartPolicyNever, nil, list{ended(0), ended(0)}, corev1.PodSucceeded},
		{corev1.RestartPolicyNever, nil, list{ended(0), ended(2)}, corev1.PodFailed},
		{corev1.RestartPolicyNever, nil, list{ended(2), running}, corev1.PodRunning},
		{corev1.RestartPolicyNever, list{ended(1)}, list{waiting}, corev1.PodFailed},
		{corev1.RestartPolicyNever, list{running}, list{waiting}, corev1.PodPending},
	} {
		if got := phaseOf(c.policy, c.inits, c.mains); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
