package wire

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// SetFaults puts the faults of all nodes in force, in place of all that were.
func (l *LAN) SetFaults(faults []Fault) error {
	l.mu.Lock()
	byNode := map[*Node][]Fault{}
	for _, node := range l.nodes {
		byNode[node] = nil
	}
	for _, fault := range faults {
		if err := l.check(fault); err != nil {
			l.mu.Unlock()
			return err
		}
		byNode[l.nodes[fault.Node]] = append(byNode[l.nodes[fault.Node]], fault)
	}
	l.mu.Unlock()
	var problems []error
	for node, own := range byNode {
		problems = append(problems, node.setFaults(own))
	}
	return errors.Join(append(problems, l.setCables())...)
}

// check finds what a person can get wrong in a fault.
func (l *LAN) check(fault Fault) error {
	// The peer may be gone, or come later.
	if _, ok := l.nodes[fault.Node]; !ok {
		return fmt.Errorf("fault %s is for node %q, which does not exist", fault.Kind, fault.Node)
	}
	if fault.Kind == Loss && (fault.Percent < 1 || fault.Percent > 100) {
		return fmt.Errorf("fault %s of %d %%: it takes 1 to 100", fault.Kind, fault.Percent)
	}
	return nil
}

// SetFaults puts the faults of one node in force, in place of those that it had.
func (n *Node) SetFaults(faults []Fault) error {
	return errors.Join(n.setFaults(faults), n.lan.setCables())
}

func (n *Node) setFaults(faults []Fault) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if slices.Equal(n.faults, faults) {
		return nil
	}
	if err := n.isThere(); err != nil {
		return err
	}
	n.faults = slices.Clone(faults)
	return n.converge()
}

// setCables makes the cables between nodes and bridge as bad as the faults say.
func (l *LAN) setCables() error {
	l.cabling.Lock()
	defer l.cabling.Unlock()
	l.mu.Lock()
	nodes, closed := slices.Collect(maps.Values(l.nodes)), l.nodes == nil
	l.mu.Unlock()
	if closed {
		return nil
	}
	ports, faults := map[string]string{}, []Fault{}
	var problems []error
	for _, node := range nodes {
		node.mu.Lock()
		ports[node.name] = node.port
		for _, fault := range node.faults {
			fault.Node = node.name
			faults = append(faults, fault)
		}
		problems = append(problems, node.plugOrUnplug())
		node.mu.Unlock()
	}
	return errors.Join(append(problems, l.setLosses(lossRules(faults, ports)))...)
}

// plugOrUnplug takes the node's port down where it is partitioned from everybody.
func (n *Node) plugOrUnplug() error {
	if n.isGone {
		return nil
	}
	cut := slices.ContainsFunc(n.faults, func(fault Fault) bool { return fault.Kind == Partition && fault.Peer == "" })
	if cut == n.isUnplugged {
		return nil
	}
	link, err := n.lan.handle.LinkByName(n.port)
	if err != nil {
		return err
	}
	change := n.lan.handle.LinkSetUp
	if cut {
		change = n.lan.handle.LinkSetDown
	}
	if err := change(link); err != nil {
		return fmt.Errorf("the cable of node %s: %w", n.name, err)
	}
	n.isUnplugged = cut
	if cut {
		return nil
	}
	return errors.Join(awaitCarrier(n.lan.handle, n.port), awaitCarrier(n.handle, cableDevice))
}

// losses are nftables rules by the chain that they belong to.
type losses struct{ from, to, between []string }

// lossRules decides what is lost: packets of one node on its cable, before the bridge sees them or after; those between two
// nodes on the bridge.
func lossRules(faults []Fault, ports map[string]string) losses {
	var rules losses
	for _, fault := range faults {
		percent := fault.Percent
		switch {
		case fault.Kind == Partition && fault.Peer != "":
			percent = 100
		case fault.Kind != Loss:
			continue
		}
		drop := "drop"
		if percent < 100 { // nft refuses a comparison that is always true
			drop = fmt.Sprintf("numgen random mod 100 < %d drop", percent)
		}
		own, other := ports[fault.Node], ports[fault.Peer]
		switch {
		case fault.Peer == "":
			rules.from = append(rules.from, fmt.Sprintf("iifname %q %s", own, drop))
			rules.to = append(rules.to, fmt.Sprintf("oifname %q %s", own, drop))
		case other != "":
			rules.between = append(rules.between, fmt.Sprintf("iifname %q oifname %q %s", own, other, drop), fmt.Sprintf("iifname %q oifname %q %s", other, own, drop))
		}
	}
	slices.Sort(rules.from)
	slices.Sort(rules.to)
	slices.Sort(rules.between)
	return rules
}

// lossTable is the name of our table; others of the bridge, such as a guard's, are not touched.
const lossTable = "wirecloak_loss"

// ruleset replaces the whole table in one transaction.
func (r losses) ruleset() string {
	var text strings.Builder
	fmt.Fprintf(&text, "add table bridge %s\ndelete table bridge %s\n", lossTable, lossTable)
	if len(r.from)+len(r.to)+len(r.between) == 0 {
		return text.String()
	}
	fmt.Fprintf(&text, "table bridge %s {\n", lossTable)
	for _, chain := range []struct {
		hook  string
		rules []string
	}{{"prerouting", r.from}, {"forward", r.between}, {"postrouting", r.to}} {
		fmt.Fprintf(&text, "chain %s {\ntype filter hook %s priority 0; policy accept;\n%s\n}\n", chain.hook, chain.hook, strings.Join(chain.rules, "\n"))
	}
	text.WriteString("}\n")
	return text.String()
}

func (l *LAN) setLosses(rules losses) error {
	ruleset := rules.ruleset()
	if l.losses == "" && len(rules.from)+len(rules.to)+len(rules.between) == 0 || l.losses == ruleset {
		return nil
	}
	var complaint strings.Builder
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin, nft.Stderr = strings.NewReader(ruleset), &complaint
	if err := l.namespace.Start(nft); err != nil {
		return fmt.Errorf("packet loss takes the program nft (Debian: nftables): %w", err)
	}
	if err := nft.Wait(); err != nil {
		return fmt.Errorf("packet loss cannot be set: nft: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	l.losses = ruleset
	return nil
}
