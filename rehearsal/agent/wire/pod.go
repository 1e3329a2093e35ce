package wire

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// The MTU of pods is what a cable of 1500 bytes leaves when both VXLAN (50 bytes) and the larger encryption are around the
// packet: WireGuard 95 (Cilium counts 40 of IPv6, 8 of UDP, 32 of its own and 15 of padding), IPsec 77. It is the same in every mode, so
// that pods that run while the mode changes never have packets fragmented on eth0.
const (
	cableMTU          = 1500
	tunnelOverhead    = 50
	wireguardOverhead = 95
	ipsecOverhead     = 77
	podMTU            = cableMTU - tunnelOverhead - wireguardOverhead
)

// Pod is a namespace behind a node, with an address of the node's pod CIDR.
type Pod struct {
	namespace *Namespace
	ip        netip.Addr
	device    string // the node's end of its cable
}

// Namespace is the pod's own.
func (p *Pod) Namespace() *Namespace { return p.namespace }

// IP is the pod's address.
func (p *Pod) IP() netip.Addr { return p.ip }

// AddPod makes a pod, or finds the one that has the id already.
func (n *Node) AddPod(id string) (*Pod, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.isThere(); err != nil {
		return nil, err
	}
	if pod, ok := n.pods[id]; ok {
		return pod, nil
	}
	ip, err := n.freeAddress()
	if err != nil {
		return nil, err
	}
	namespace, err := newNamespace()
	if err != nil {
		return nil, err
	}
	pod := &Pod{namespace: namespace, ip: ip, device: fmt.Sprintf("lxc%x", ip.AsSlice())}
	n.pods[id] = pod
	if err := n.plugPod(pod); err != nil {
		return nil, errors.Join(fmt.Errorf("pod %s at node %s: %w", id, n.name, err), n.removePod(id))
	}
	return pod, nil
}

// RemovePod takes a pod away; one that does not exist is no error. What still runs in its namespace is cut off.
func (n *Node) RemovePod(id string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.removePod(id)
}

func (n *Node) removePod(id string) error {
	pod, ok := n.pods[id]
	if !ok {
		return nil
	}
	delete(n.pods, id)
	var unplugged error
	if link, err := n.handle.LinkByName(pod.device); err == nil {
		unplugged = n.handle.LinkDel(link)
	}
	return errors.Join(unplugged, pod.namespace.Close())
}

// plugPod makes the pod's cable and the way to and from it. As with Cilium, a pod knows nobody but the node's cilium_host.
func (n *Node) plugPod(pod *Pod) error {
	cable := &netlink.Veth{
		LinkAttrs: named(pod.device),
		PeerName:  cableDevice, PeerNamespace: pod.namespace.fd(), PeerHardwareAddr: nodeMAC(pod.ip), PeerMTU: podMTU,
	}
	cable.MTU = podMTU
	cable.HardwareAddr = tunnelMAC(pod.ip)
	if err := n.handle.LinkAdd(cable); err != nil {
		return fmt.Errorf("its cable %s: %w", pod.device, err)
	}
	if err := n.handle.LinkSetUp(cable); err != nil {
		return err
	}
	if err := n.plugInside(pod); err != nil {
		return err
	}
	if err := awaitCarrier(n.handle, pod.device); err != nil {
		return err
	}
	if err := n.handle.NeighSet(neighbour(cable.Index, pod.ip, nodeMAC(pod.ip))); err != nil {
		return err
	}
	return n.handle.RouteReplace(&netlink.Route{LinkIndex: cable.Index, Scope: netlink.SCOPE_LINK, Dst: ipNet(netip.PrefixFrom(pod.ip, 32))})
}

// plugInside is the pod's side of it. The node's end is up already.
func (n *Node) plugInside(pod *Pod) error {
	handle, err := pod.namespace.handle()
	if err != nil {
		return err
	}
	defer handle.Close()
	link, err := handle.LinkByName(cableDevice)
	if err != nil {
		return err
	}
	if err := handle.AddrAdd(link, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(pod.ip, 32))}); err != nil {
		return err
	}
	if err := handle.LinkSetUp(link); err != nil {
		return err
	}
	index, gateway := link.Attrs().Index, hostAddress(n.podCIDR)
	if err := handle.NeighSet(neighbour(index, gateway, tunnelMAC(pod.ip))); err != nil {
		return err
	}
	// Cilium sets the gateway's own route too, of link scope.
	if err := handle.RouteAdd(&netlink.Route{LinkIndex: index, Scope: netlink.SCOPE_LINK, Dst: ipNet(netip.PrefixFrom(gateway, 32))}); err != nil {
		return err
	}
	return handle.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gateway.AsSlice()})
}

// freeAddress goes round the pod CIDR, so that the address of a pod that went is the last to be used again.
func (n *Node) freeAddress() (netip.Addr, error) {
	used := map[netip.Addr]bool{}
	for _, pod := range n.pods {
		used[pod.ip] = true
	}
	host := hostAddress(n.podCIDR)
	for tries := 1 << (32 - n.podCIDR.Bits()); tries > 0; tries-- {
		n.nextPod = n.nextPod.Next()
		// The last one is the broadcast address: what comes after it lies outside.
		if !n.podCIDR.Contains(n.nextPod.Next()) {
			n.nextPod = host.Next()
		}
		if !used[n.nextPod] {
			return n.nextPod, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("node %s has no free address left in %s", n.name, n.podCIDR)
}
