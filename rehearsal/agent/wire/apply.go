package wire

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// installed is what of a datapath is in place at a node.
type installed struct {
	datapath *Datapath // nil: none yet
	// mode is nil while none is in place completely.
	mode      *mode
	wiring    wiring
	encryptor encryptor
	encrypts  Encryption // what the encryptor does
	indexes   map[string]int
	gate      []netip.Prefix
	strict    string // the ruleset
}

// Apply makes the node's packets travel as the datapath says, and changes only what differs from before.
func (n *Node) Apply(datapath Datapath) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.isThere(); err != nil {
		return err
	}
	n.datapath = &datapath
	return n.converge()
}

// converge brings the node to its datapath and its faults.
func (n *Node) converge() error {
	if n.datapath == nil {
		return nil
	}
	if err := n.setStrict(strictRules(n.podCIDR, *n.datapath, n.faults)); err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	wanted := wiringOf(n.address.Addr(), n.podCIDR, *n.datapath, n.faults)
	if next := modeOf(*n.datapath); n.mode == nil || *n.mode != next {
		if err := n.changeMode(next, wanted); err != nil {
			// The gate stays: what is half built could let packets out in clear.
			return fmt.Errorf("node %s: %w", n.name, err)
		}
		return nil
	}
	if err := n.updateEncryptor(); err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	if err := n.install(wanted); err != nil {
		return fmt.Errorf("node %s: %w", n.name, err)
	}
	return nil
}

// changeMode goes from any mode to another without a moment at which a pod's packet leaves in clear, unless the next mode is
// plain, or Cilium would leak (mixed.go): all pods elsewhere are cut off first, then everything of the old mode is taken away and everything of the
// next put up, and the gate opens last.
func (n *Node) changeMode(next mode, wanted wiring) error {
	previous := n.mode
	n.mode = nil
	if leaksBetween(previous, next, *n.datapath) && len(n.pods) > 0 {
		if err := n.leakAWhile(*previous); err != nil {
			return err
		}
	}
	if err := n.closeGate(wanted); err != nil {
		return err
	}
	if err := n.install(wiring{}); err != nil {
		return err
	}
	if n.encrypts != next.encryption {
		if err := n.closeEncryptor(); err != nil {
			return err
		}
	}
	if err := n.prepareDevices(next); err != nil {
		return err
	}
	if err := n.updateEncryptor(); err != nil {
		return err
	}
	if err := n.install(wanted); err != nil {
		return err
	}
	if err := n.openGate(); err != nil {
		return err
	}
	n.mode = &next
	return nil
}

func (n *Node) closeEncryptor() error {
	if n.encryptor == nil {
		return nil
	}
	err := n.encryptor.close()
	n.encryptor = nil
	return err
}

// prepareDevices makes those that the mode needs, and takes the tunnel away where it needs none.
func (n *Node) prepareDevices(next mode) (err error) {
	n.indexes = map[string]int{cableDevice: n.cable}
	if err := n.prepareTunnel(next.tunnel); err != nil {
		return fmt.Errorf("%s: %w", tunnelDevice, err)
	}
	if next.encryption == Plain {
		return nil
	}
	if n.encryptor == nil {
		if n.encryptor, err = n.lan.newEncryptor(n, next.encryption); err != nil {
			n.encryptor = nil
			return fmt.Errorf("its encryption (%s): %w", next.encryption, err)
		}
		n.encrypts = next.encryption
	}
	index, err := n.up(n.encryptor.device(), netip.Prefix{})
	if err != nil {
		return err
	}
	n.indexes[n.encryptor.device()] = index
	return nil
}

func (n *Node) prepareTunnel(wanted bool) error {
	link, err := n.handle.LinkByName(tunnelDevice)
	var missing netlink.LinkNotFoundError
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	switch {
	case !wanted && err == nil:
		return n.handle.LinkDel(link)
	case !wanted:
		return nil
	case err != nil:
		tunnel := &netlink.Vxlan{LinkAttrs: named(tunnelDevice), VxlanId: tunnelID, Port: tunnelPort, SrcAddr: n.address.Addr().AsSlice()}
		tunnel.HardwareAddr, tunnel.MTU = tunnelMAC(n.address.Addr()), cableMTU-tunnelOverhead
		if err := n.handle.LinkAdd(tunnel); err != nil {
			return err
		}
	}
	n.indexes[tunnelDevice], err = n.up(tunnelDevice, netip.Prefix{})
	return err
}

// updateEncryptor tells it the datapath. A peer that is missing on order is the encryptor's affair: it must know that it comes
// back, so that IPsec goes on with its sequence numbers then. Routes still lead to it.
func (n *Node) updateEncryptor() error {
	if n.encryptor == nil {
		return nil
	}
	datapath := *n.datapath
	datapath.Peers = slices.DeleteFunc(slices.Clone(datapath.Peers), func(peer Peer) bool {
		return peer.IP == n.address.Addr()
	})
	return n.encryptor.update(datapath, n.faults)
}

// closeGate throws away what is for pods elsewhere, as the old or the next mode knows them: bare, or in the tunnel.
func (n *Node) closeGate(next wiring) error {
	for _, routes := range []map[destination]route{n.wiring.routes, next.routes} {
		for to := range routes {
			// Of the whole range, only what is a peer's: pods of this node go on speaking to each other.
			if to.table != tableMain || slices.Contains(n.gate, to.to) || to.to.Overlaps(n.podCIDR) {
				continue
			}
			if err := n.setRoute(destination{tableGate, to.to}, route{}); err != nil {
				return err
			}
			n.gate = append(n.gate, to.to)
		}
	}
	for _, rule := range gateRules {
		if err := n.handle.RuleAdd(rule.netlink()); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("the gate's rule: %w", err)
		}
	}
	return nil
}

var gateRules = []rule{{priority: 10, table: tableGate}, {priority: 11, blackhole: true, tunnelled: true}}

func (n *Node) openGate() error {
	for _, rule := range gateRules {
		if err := n.handle.RuleDel(rule.netlink()); err != nil {
			return fmt.Errorf("the gate's rule: %w", err)
		}
	}
	for len(n.gate) > 0 {
		if err := n.removeRoute(destination{tableGate, n.gate[0]}); err != nil {
			return err
		}
		n.gate = n.gate[1:]
	}
	return nil
}

// install brings the kernel from the wiring in place to another. A table is filled before a rule or a route leads to it,
// and emptied after none does: so no packet that was for the encryptor falls through to a plain route on the way. What is done
// is noted at once, so that after an error the next attempt goes on from there.
func (n *Node) install(next wiring) error {
	if n.wiring.routes == nil {
		n.wiring = wiring{map[destination]route{}, map[rule]bool{}, map[contact]bool{}}
	}
	now := n.wiring
	isMain := func(to destination) bool { return to.table == tableMain }
	isOther := func(to destination) bool { return to.table != tableMain }
	return inOrder(
		func() error { return n.removeRoutes(next, isMain) },
		func() error {
			return each(now.contacts, next.contacts, n.forget, func(c contact) { delete(now.contacts, c) })
		},
		func() error { return n.setRoutes(next, isOther) },
		func() error {
			return each(next.rules, now.rules, func(r rule) error { return n.handle.RuleAdd(r.netlink()) }, func(r rule) { now.rules[r] = true })
		},
		func() error {
			return each(next.contacts, now.contacts, n.meet, func(c contact) { now.contacts[c] = true })
		},
		func() error { return n.setRoutes(next, isMain) },
		func() error {
			return each(now.rules, next.rules, func(r rule) error { return n.handle.RuleDel(r.netlink()) }, func(r rule) { delete(now.rules, r) })
		},
		func() error { return n.removeRoutes(next, isOther) },
	)
}

func (n *Node) setRoutes(next wiring, selected func(destination) bool) error {
	for to, wanted := range next.routes {
		if present, ok := n.wiring.routes[to]; !selected(to) || (ok && present == wanted) {
			continue
		}
		if err := n.setRoute(to, wanted); err != nil {
			return err
		}
		n.wiring.routes[to] = wanted
	}
	return nil
}

func (n *Node) removeRoutes(next wiring, selected func(destination) bool) error {
	for to := range maps.Clone(n.wiring.routes) {
		if _, stays := next.routes[to]; stays || !selected(to) {
			continue
		}
		if err := n.removeRoute(to); err != nil {
			return err
		}
		delete(n.wiring.routes, to)
	}
	return nil
}

// each does something with what is in one set and not in another, and notes it where it went well.
func each[T comparable](in, notIn map[T]bool, do func(T) error, note func(T)) error {
	for item := range maps.Clone(in) {
		if notIn[item] {
			continue
		}
		if err := do(item); err != nil {
			return fmt.Errorf("%+v: %w", item, err)
		}
		note(item)
	}
	return nil
}

func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
