package main

import (
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const (
	agentContainer   = "cilium-agent"
	reasonCreating   = "ContainerCreating"
	reasonCrashLoop  = "CrashLoopBackOff"
	logLinesPerAgent = 100
)

// world is all machines of the cluster: one process plays them, so a new process is a boot of every machine.
type world struct {
	mu       sync.Mutex
	machines map[string]*machine
	// byPod finds the machine of an agent's pod; its agent is that pod's.
	byPod map[string]*machine
	pool  podCIDRPool
	// ciliumNodes are those that the API server holds, the source of every agent's peers.
	ciliumNodes func() []*unstructured.Unstructured
	// stats is the live state of a node's encryption; nil where the node has no wire.
	stats  func(node string) *wire.Stats
	faults []wire.Fault
}

// agent is one start of a Cilium agent's pod.
type agent struct {
	pod, version string
	uid          types.UID
	state        podState
	// inputs tells whether a start that failed can end otherwise now.
	inputs string
	config agentConfig
	keys   []ipsecKey // the last is in use, those before it are not yet reclaimed
	log    []string
	// isReported: the API server knows all that is in here.
	isReported bool
}

// inputs is everything that an agent reads when it starts.
type inputs struct {
	config  map[string]string
	secret  map[string][]byte
	missing string // the first volume's source that does not exist
	version string // of the objects, to notice a change
}

func newWorld(ciliumNodes func() []*unstructured.Unstructured, stats func(node string) *wire.Stats) *world {
	return &world{machines: map[string]*machine{}, byPod: map[string]*machine{}, ciliumNodes: ciliumNodes, stats: stats}
}

// start decides what becomes of an agent's pod: its state, what its agent publishes if it runs, and whether there is
// something to report to the API server.
func (w *world) start(pod *corev1.Pod, read inputs) (podState, ciliumNodeFacts, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.machines[pod.Spec.NodeName]
	if !ok || m.isDown {
		return podState{waiting: reasonCreating, message: "the node does not run"}, ciliumNodeFacts{}, false
	}
	fresh := m.agent == nil || m.agent.uid != pod.UID
	if fresh || (!m.agent.state.running() && m.agent.inputs != read.version) {
		w.launch(m, pod, read, fresh)
		if m.agent.state.running() {
			m.podCIDR = firstPrefix(w.published(m).podCIDRs)
		}
	}
	return m.agent.state, w.published(m), !m.agent.isReported
}

func (w *world) launch(m *machine, pod *corev1.Pod, read inputs, fresh bool) {
	a := &agent{pod: keyOf(pod), uid: pod.UID, version: imageVersion(pod), inputs: read.version}
	if fresh {
		a.state.restarts = restartsOf(pod)
	} else {
		a.log = m.agent.log
		a.state.restarts = m.agent.state.restarts
		if m.agent.state.waiting == reasonCrashLoop {
			a.state.restarts++
		}
	}
	// A pod of the node that is not gone yet must not end this agent when it goes.
	if m.agent != nil {
		delete(w.byPod, m.agent.pod)
	}
	m.agent = a
	w.byPod[a.pod] = m
	if m.faults[wire.AgentDown] {
		a.state.waiting, a.state.message = reasonCrashLoop, agentDownMessage
		return
	}
	if read.missing != "" {
		a.state.waiting, a.state.message = reasonCreating, read.missing
		return
	}
	if err := a.load(read, machineFacts{ip: m.ip, bootID: m.bootID}); err != nil {
		a.state.waiting, a.state.message = reasonCrashLoop, err.Error()
		a.logf("level=fatal msg=%q", err.Error())
		return
	}
	a.logf("level=info msg=\"the rehearsal's agent runs\" version=%s encryption=%s", a.version, a.config.mode)
}

// reported: the API server knows what start said last.
func (w *world) reported(pod string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.byPod[pod]; ok {
		m.agent.isReported = true
	}
}

func (a *agent) load(read inputs, on machineFacts) (err error) {
	a.config, err = parseConfig(read.config, minorOf(a.version), on)
	if err != nil || a.config.mode != modeIPsec {
		return err
	}
	content, ok := read.secret[path.Base(a.config.keyFile)]
	if !ok {
		return fmt.Errorf("open %s: no such file or directory", a.config.keyFile)
	}
	key, err := parseKeyFile(string(content))
	if err != nil {
		return fmt.Errorf("unable to load %s: %w", a.config.keyFile, err)
	}
	a.keys = []ipsecKey{key}
	return nil
}

// stop forgets the agent of a pod that is gone.
func (w *world) stop(pod string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.byPod[pod]; ok {
		m.agent = nil
		delete(w.byPod, pod)
	}
}

// rotate is the key watcher of an agent that runs. It tells the id of a key that it loaded (0: none), and for how long the
// one before it stays.
func (w *world) rotate(pod string, read inputs) (spi int, coexist time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.byPod[pod]
	if !ok || !m.agent.state.running() || m.agent.config.mode != modeIPsec || !m.agent.config.keyWatcher || m.agent.inputs == read.version {
		return 0, 0
	}
	a := m.agent
	a.inputs = read.version
	content, ok := read.secret[path.Base(a.config.keyFile)]
	if !ok {
		return 0, 0
	}
	key, changed, err := nextKey(a.keys[len(a.keys)-1], string(content))
	if err != nil {
		a.logf("level=error msg=%q", "Failed to load IPsec key file: "+err.Error())
		return 0, 0
	}
	if !changed {
		return 0, 0
	}
	a.keys = append(slices.DeleteFunc(a.keys, func(k ipsecKey) bool { return k.spi == key.spi }), key)
	a.isReported = false
	a.logf("level=info msg=\"Loaded IPsec keys\" spi=%d", key.spi)
	return key.spi, a.config.keyRotation
}

// reclaim drops all keys but the one in use, if that is still the key with this id.
func (w *world) reclaim(pod string, spi int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.byPod[pod]
	if !ok || len(m.agent.keys) < 2 || m.agent.keys[len(m.agent.keys)-1].spi != spi {
		return
	}
	m.agent.keys = m.agent.keys[len(m.agent.keys)-1:]
	m.agent.logf("level=info msg=\"Reclaimed old IPsec keys\" spi=%d", spi)
}

// published is what the node's agent tells the others; of an agent that does not run, only the node's own facts count.
func (w *world) published(m *machine) ciliumNodeFacts {
	a := m.agent
	facts := ciliumNodeFacts{name: m.name, uid: m.uid, bootID: m.bootID, ip: m.ip, podCIDRs: m.podCIDRs}
	if a.config.clusterPool != "" {
		facts.podCIDRs = nil
		if cidr := w.pool.allocate(a.config.clusterPool, a.config.poolMaskBits, m.name, w.ciliumNodes); cidr != "" {
			facts.podCIDRs = []string{cidr}
		}
	}
	config := a.config
	if m.faults[wire.OldConfig] {
		config = withoutEncryption(config)
	}
	if config.mode == modeWireguard {
		facts.publicKey = m.publicKey
	}
	spi := 0
	if len(a.keys) > 0 {
		spi = a.keys[len(a.keys)-1].spi
	}
	facts.key = encryptionKey(config, config.optsOut(m.labels), spi)
	return facts
}

func (w *world) logsOf(pod string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.byPod[pod]; ok {
		return slices.Clone(m.agent.log)
	}
	return nil
}

// logf writes the agent's own log, which kubectl logs shows, and the same to the process's.
func (a *agent) logf(format string, arguments ...any) {
	line := fmt.Sprintf(format, arguments...)
	slog.Info(line, "pod", a.pod)
	a.log = append(a.log, time.Now().UTC().Format("time=2006-01-02T15:04:05.000Z ")+line)
	if len(a.log) > logLinesPerAgent {
		a.log = a.log[1:]
	}
}

// restartsOf: a pod whose containers ran before restarts them, as after a reboot of its node.
func restartsOf(pod *corev1.Pod) int32 {
	for _, container := range pod.Status.ContainerStatuses {
		if container.State.Running != nil || container.LastTerminationState.Terminated != nil {
			return container.RestartCount + 1
		}
	}
	return 0
}

// imageVersion: the agent knows its version from its image's tag; "0.0.0" where it has none.
func imageVersion(pod *corev1.Pod) string {
	for _, container := range pod.Spec.Containers {
		if container.Name != agentContainer {
			continue
		}
		image, _, _ := strings.Cut(container.Image, "@")
		if _, tag, ok := strings.Cut(path.Base(image), ":"); ok {
			return strings.TrimPrefix(tag, "v")
		}
	}
	return "0.0.0"
}
