package wire

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// SetPodCIDR gives the node another pod CIDR, as an agent does that has its own IPAM: before its first Apply, or later, with
// an Apply to follow. Pods that are there keep their addresses.
func (n *Node) SetPodCIDR(podCIDR netip.Prefix) error {
	podCIDR = podCIDR.Masked()
	if !podCIDR.IsValid() || !podCIDR.Addr().Is4() || podCIDR.Bits() > 29 {
		return fmt.Errorf("node %s needs an IPv4 pod CIDR of /29 or wider, not %s", n.name, podCIDR)
	}
	n.lan.mu.Lock()
	defer n.lan.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.isThere(); err != nil {
		return err
	}
	if podCIDR == n.podCIDR {
		return nil
	}
	if _, err := n.up(hostDevice, netip.PrefixFrom(hostAddress(podCIDR), 32)); err != nil {
		return err
	}
	if n.datapath == nil && hostAddress(podCIDR) != hostAddress(n.podCIDR) {
		// Once there is a datapath, its routes name the address as their source, and would go with it.
		link, err := n.handle.LinkByName(hostDevice)
		if err != nil {
			return err
		}
		if err := n.handle.AddrDel(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(hostAddress(n.podCIDR), 32))}); err != nil {
			return err
		}
	}
	n.podCIDR, n.nextPod = podCIDR, hostAddress(podCIDR)
	return nil
}
