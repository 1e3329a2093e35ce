package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"wirecloak/rehearsal/agent/wire"
)

// Choices of --wire.
const (
	wireAuto = "auto"
	wireOn   = "on"
	wireOff  = "off"
)

// nodesOnWire bounds the nodes that get one: with 64 of them, all encrypting to all others, this process was measured to hold
// 176 MB, and with 100 while a proof ran 880 MB.
const nodesOnWire = 128

// nodePrefix is the length of the nodes' own network (nodePlan.ts).
const nodePrefix = 16

// network is the machines' network: the wire, where there is one, and addresses for pods that are on none.
type network struct {
	// off is why there is no wire at all; empty where there is one.
	off string

	mu  sync.Mutex
	lan *wire.LAN
	// nodes are those on the wire; left those that found no room on it.
	nodes map[string]*wire.Node
	left  map[string]bool
	// offline are the addresses of pods on nodes without a wire.
	offline map[string]*podAddresses
	faults  []wire.Fault
}

// newNetwork makes the wire unless it is not wanted, or cannot be had and need not be.
func newNetwork(choice string) (*network, error) {
	n := &network{nodes: map[string]*wire.Node{}, left: map[string]bool{}, offline: map[string]*podAddresses{}}
	switch choice {
	case wireOff:
		n.off = "switched off (WIRECLOAK_REHEARSAL_WIRE=off)"
	case wireOn, wireAuto:
		err := wire.Available()
		if err == nil {
			n.lan, err = wire.NewLAN()
		}
		if err != nil && choice == wireOn {
			return nil, fmt.Errorf("the wire is asked for, and cannot be had: %w", err)
		}
		if err != nil {
			n.off = err.Error()
		}
	default:
		return nil, fmt.Errorf("--wire is %q, where %s, %s or %s are allowed", choice, wireAuto, wireOn, wireOff)
	}
	if n.off != "" {
		slog.Info("wire: off", "why", n.off)
	} else {
		slog.Info("wire: on", "device", wire.Bridge, "at", n.lan.Namespace().Path())
	}
	return n, nil
}

// restoreRules sets the nftables rules that the bridge of an earlier process had (rehearsal/record.ts); no file is none.
func (n *network) restoreRules(path string) error {
	rules, err := os.Open(path)
	if n.lan == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer rules.Close()
	var complaint strings.Builder
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin, nft.Stderr = rules, &complaint
	if err := n.lan.Namespace().Start(nft); err != nil {
		return fmt.Errorf("the rules of the bridge cannot be set again: %w", err)
	}
	if err := nft.Wait(); err != nil {
		return fmt.Errorf("the rules of the bridge cannot be set again: nft: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return nil
}

// close takes everything away. The kernel would do the same when this process ends.
func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lan != nil {
		n.lan.Close()
	}
}

// addNode plugs a machine in, anew if it is there.
func (n *network) addNode(name string, ip netip.Addr, podCIDR netip.Prefix) error {
	n.removeNode(name)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lan == nil {
		return nil
	}
	if len(n.nodes) >= nodesOnWire {
		n.left[name] = true
		slog.Warn("wire: no room for this node", "node", name, "most", nodesOnWire)
		return nil
	}
	node, err := n.lan.AddNode(name, netip.PrefixFrom(ip, nodePrefix), podCIDR)
	if err != nil {
		return err
	}
	n.nodes[name] = node
	return n.orderFaults()
}

func (n *network) removeNode(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.left, name)
	delete(n.offline, name)
	if n.nodes[name] == nil {
		return
	}
	delete(n.nodes, name)
	if err := n.lan.RemoveNode(name); err != nil {
		slog.Warn("wire: a node was not taken away whole", "node", name, "err", err)
	}
}

// node is one on the wire; nil for one that is not.
func (n *network) node(name string) *wire.Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes[name]
}

// stats is nil for a node that is not on the wire.
func (n *network) stats(name string) *wire.Stats {
	node := n.node(name)
	if node == nil {
		return nil
	}
	stats := node.Stats()
	return &stats
}

// addPod gives a pod an address of the CIDR that the node's agent decided on and, where its node is on the wire, a namespace of its own.
func (n *network) addPod(node, key string, podCIDR netip.Prefix) (netip.Addr, *wire.Namespace, error) {
	if on := n.node(node); on != nil {
		if err := on.SetPodCIDR(podCIDR); err != nil {
			return netip.Addr{}, nil, err
		}
		pod, err := on.AddPod(key)
		if err != nil {
			return netip.Addr{}, nil, err
		}
		return pod.IP(), pod.Namespace(), nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.offline[node] == nil {
		n.offline[node] = &podAddresses{}
	}
	ip, ok := n.offline[node].take(podCIDR)
	if !ok {
		return ip, nil, fmt.Errorf("the pod CIDR %s of the node has no address left", podCIDR)
	}
	return ip, nil, nil
}

func (n *network) removePod(node, key string, ip netip.Addr) {
	if on := n.node(node); on != nil {
		if err := on.RemovePod(key); err != nil {
			slog.Warn("wire: a pod was not taken away whole", "pod", key, "err", err)
		}
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.offline[node] != nil {
		n.offline[node].giveBack(ip)
	}
}

// canOrder tells why a fault of the wire cannot be played.
func (n *network) canOrder(fault wire.Fault) error {
	if slices.Contains(ofWire, fault.Kind) && n.node(fault.Node) == nil {
		return fmt.Errorf("%s: node %s has no wire: %s", fault.Kind, fault.Node, n.state().Why)
	}
	return nil
}

// setFaults replaces the wire's faults.
func (n *network) setFaults(faults []wire.Fault) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = faults
	return n.orderFaults()
}

func (n *network) orderFaults() error {
	if n.lan == nil {
		return nil
	}
	// Those of nodes that are gone, or not on the wire, wait until they come.
	return n.lan.SetFaults(slices.DeleteFunc(slices.Clone(n.faults), func(fault wire.Fault) bool { return n.nodes[fault.Node] == nil }))
}

// wireState is what GET /wire answers.
type wireState struct {
	On bool `json:"on"`
	// Why there is no wire, or not for all nodes; empty otherwise.
	Why string `json:"why,omitempty"`
	// Nodes are those on the wire.
	Nodes []string `json:"nodes"`
	// Device sees everything between the nodes, in the namespace that other processes of this user open by this path.
	Device    string `json:"device,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

func (n *network) state() wireState {
	n.mu.Lock()
	defer n.mu.Unlock()
	state := wireState{On: n.lan != nil, Why: n.off, Nodes: []string{}}
	if n.lan == nil {
		return state
	}
	for name := range n.nodes {
		state.Nodes = append(state.Nodes, name)
	}
	slices.Sort(state.Nodes)
	if len(n.left) > 0 {
		state.Why = fmt.Sprintf("the wire has room for %d nodes; %d more are without", nodesOnWire, len(n.left))
	}
	state.Device, state.Namespace = wire.Bridge, n.lan.Namespace().Path()
	return state
}
