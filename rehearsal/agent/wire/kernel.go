package wire

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// How routes, rules and contacts are said to the kernel.

func (n *Node) setRoute(to destination, r route) error {
	message := &netlink.Route{Table: to.table, Dst: ipNet(to.to), Scope: netlink.SCOPE_UNIVERSE}
	switch {
	case r.device == "":
		message.Type = unix.RTN_BLACKHOLE
	case r.via.IsValid():
		message.Gw, message.Flags = r.via.AsSlice(), int(netlink.FLAG_ONLINK)
	default:
		message.Scope = netlink.SCOPE_LINK
	}
	if r.device != "" {
		message.LinkIndex = n.indexes[r.device]
	}
	if r.source.IsValid() {
		// To pods, hence with what encryption and tunnel leave of a packet; a node's own connections must know it too.
		message.Src, message.MTU = r.source.AsSlice(), podMTU
	}
	if err := n.handle.RouteReplace(message); err != nil {
		return fmt.Errorf("the route to %s (table %d, %+v): %w", to.to, to.table, r, err)
	}
	return nil
}

func (n *Node) removeRoute(to destination) error {
	message := &netlink.Route{Table: to.table, Dst: ipNet(to.to), Scope: netlink.SCOPE_NOWHERE}
	if err := n.handle.RouteDel(message); err != nil {
		return fmt.Errorf("the route to %s (table %d): %w", to.to, to.table, err)
	}
	return nil
}

func (r rule) netlink() *netlink.Rule {
	message := netlink.NewRule()
	message.Family, message.Priority, message.Table = unix.AF_INET, r.priority, r.table
	if r.blackhole {
		message.Type = unix.FR_ACT_BLACKHOLE
	}
	if r.marked || r.unmarked {
		message.Mark, message.Invert = encryptionMark, r.unmarked
	}
	if r.tunnelled {
		message.IPProto, message.Dport, message.IifName = unix.IPPROTO_UDP, netlink.NewRulePortRange(tunnelPort, tunnelPort), "lo"
	}
	if r.esp {
		message.IPProto = unix.IPPROTO_ESP
	}
	if r.from.IsValid() {
		message.Src = ipNet(netip.PrefixFrom(r.from, 32))
	}
	return message
}

// meet enters a contact: on the tunnel also at which node it is.
func (n *Node) meet(c contact) error {
	device := n.indexes[c.device]
	if c.device == cableDevice {
		return n.handle.NeighSet(neighbour(device, c.ip, nodeMAC(c.peer)))
	}
	if err := n.handle.NeighSet(forwarding(device, c)); err != nil {
		return err
	}
	return n.handle.NeighSet(neighbour(device, c.ip, tunnelMAC(c.peer)))
}

func (n *Node) forget(c contact) error {
	device := n.indexes[c.device]
	if err := n.handle.NeighDel(neighbour(device, c.ip, nil)); err != nil {
		return err
	}
	if c.device == cableDevice {
		return nil
	}
	return n.handle.NeighDel(forwarding(device, c))
}

func forwarding(device int, c contact) *netlink.Neigh {
	return &netlink.Neigh{
		LinkIndex: device, Family: unix.AF_BRIDGE, Flags: unix.NTF_SELF, State: unix.NUD_PERMANENT, HardwareAddr: tunnelMAC(c.peer), IP: c.peer.AsSlice(),
	}
}
