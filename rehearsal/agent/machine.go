package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/netip"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
)

// machine is one node: what a boot gives it, and the agent that runs on it, if one does.
type machine struct {
	name, uid string
	ip        netip.Addr
	podCIDRs  []string
	labels    map[string]string
	bootID    string
	// privateKey is the node's WireGuard key. It leaves the process in no way.
	privateKey [32]byte
	publicKey  string
	agent      *agent
	// podCIDR is where new pods get their addresses from: what the last agent that started decided. Not valid before.
	podCIDR netip.Prefix
	// isDown: it reboots.
	isDown bool
	// faults are those of the agent that are ordered here; the wire keeps its own.
	faults map[wire.FaultKind]bool
	// frozen is what cilium-dbg repeats while counters-frozen is ordered.
	frozen *frozenState
}

// boot adds a machine, or takes notice of a node's changed labels. It tells whether the machine is new.
func (w *world) boot(node *corev1.Node) (bootID string, booted bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.machines[node.Name]; ok && m.uid == string(node.UID) {
		m.labels = node.Labels
		return m.bootID, false, nil
	}
	m := &machine{
		name: node.Name, uid: string(node.UID), podCIDRs: node.Spec.PodCIDRs, labels: node.Labels,
		bootID: newBootID(),
		faults: agentFaults(w.faults, node.Name),
	}
	if err := m.newKey(); err != nil {
		return "", false, err
	}
	m.ip = nodeAddress(node)
	w.machines[node.Name] = m
	return m.bootID, true, nil
}

// newKey gives the machine another WireGuard key: Cilium keeps it in a file system that a reboot empties.
func (m *machine) newKey() error {
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	m.privateKey, m.publicKey = [32]byte(private.Bytes()), base64.StdEncoding.EncodeToString(private.PublicKey().Bytes())
	return nil
}

func (w *world) remove(node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m, ok := w.machines[node]; ok && m.agent != nil {
		delete(w.byPod, m.agent.pod)
	}
	delete(w.machines, node)
}

// nodeAddress is the node's InternalIP; not valid where it has none.
func nodeAddress(node *corev1.Node) netip.Addr {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP {
			ip, _ := netip.ParseAddr(address.Address)
			return ip
		}
	}
	return netip.Addr{}
}

// newBootID has the form of /proc/sys/kernel/random/boot_id.
func newBootID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
