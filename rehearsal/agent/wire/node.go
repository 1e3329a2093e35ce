package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Names of devices, Cilium's where it has them.
const (
	cableDevice  = "eth0"
	hostDevice   = "cilium_host"
	hostPeer     = "cilium_net"
	tunnelDevice = "cilium_vxlan"

	tunnelID   = 2
	tunnelPort = 8472
)

// Node is one machine of the rehearsal: a namespace with a cable to the LAN, and pods behind it.
type Node struct {
	lan       *LAN
	name      string
	address   netip.Prefix
	podCIDR   netip.Prefix
	port      string // of the bridge
	namespace *Namespace
	handle    *netlink.Handle
	cable     int // interface index of eth0

	// mu serialises whatever changes the node.
	mu      sync.Mutex
	isGone  bool
	pods    map[string]*Pod
	nextPod netip.Addr
	faults  []Fault
	// isUnplugged: its port of the bridge is down.
	isUnplugged bool
	installed
}

// Namespace is the node's own.
func (n *Node) Namespace() *Namespace { return n.namespace }

// build makes what every node has, whatever its datapath.
func (n *Node) build() (err error) {
	if n.namespace, err = newNamespace(); err != nil {
		return err
	}
	if n.handle, err = n.namespace.handle(); err != nil {
		return err
	}
	if err := n.namespace.Do(func() error {
		return errors.Join(
			setKernel("ipv4/ip_forward", "1"),
			setKernel("ipv4/conf/all/send_redirects", "0"),
			setKernel("ipv4/conf/default/send_redirects", "0"),
			// One message a day. An ICMP error quotes the packet that it is about: while one node has no tunnel yet and another still sends
			// to it, "port unreachable" would tell in clear what had just been decrypted. "Fragmentation needed" is not limited.
			setKernel("ipv4/icmp_ratelimit", "86400000"),
		)
	}); err != nil {
		return err
	}
	if err := n.lan.plug(n); err != nil {
		return err
	}
	if n.cable, err = n.up(cableDevice, n.address); err != nil {
		return err
	}
	if err := awaitCarrier(n.lan.handle, n.port); err != nil {
		return err
	}
	pair := &netlink.Veth{LinkAttrs: named(hostDevice), PeerName: hostPeer}
	if err := n.handle.LinkAdd(pair); err != nil {
		return fmt.Errorf("%s: %w", hostDevice, err)
	}
	if _, err := n.up(hostPeer, netip.Prefix{}); err != nil {
		return err
	}
	_, err = n.up(hostDevice, netip.PrefixFrom(hostAddress(n.podCIDR), 32))
	return err
}

// up brings a device up, with an address where one is given.
func (n *Node) up(device string, address netip.Prefix) (index int, err error) {
	link, err := n.handle.LinkByName(device)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", device, err)
	}
	if address.IsValid() {
		if err := n.handle.AddrReplace(link, &netlink.Addr{IPNet: ipNet(address)}); err != nil {
			return 0, fmt.Errorf("the address %s of %s: %w", address, device, err)
		}
	}
	if err := n.handle.LinkSetUp(link); err != nil {
		return 0, fmt.Errorf("%s: %w", device, err)
	}
	return link.Attrs().Index, nil
}

// awaitCarrier waits until a device whose other end came up after it passes packets, which the kernel sees to in its own time.
func awaitCarrier(handle *netlink.Handle, device string) error {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		link, err := handle.LinkByName(device)
		if err != nil {
			return err
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
	}
	return fmt.Errorf("%s stays without a carrier", device)
}

// close gives up the node and its pods. The kernel takes devices away with the namespace they are in, all at once, and much faster
// than one by one; until a process in it ends, a namespace stays.
func (n *Node) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isGone = true
	var problems []error
	if n.encryptor != nil {
		problems = append(problems, n.encryptor.close())
		n.encryptor = nil
	}
	for _, pod := range n.pods {
		problems = append(problems, pod.namespace.Close())
	}
	n.pods = map[string]*Pod{}
	if n.handle != nil {
		n.handle.Close()
	}
	if n.namespace != nil {
		problems = append(problems, n.namespace.Close())
	}
	return errors.Join(problems...)
}

// isThere must be asked before the netlink handle is used: one that is closed would change the machine's own network.
func (n *Node) isThere() error {
	if n.isGone {
		return fmt.Errorf("node %s is gone", n.name)
	}
	return nil
}

// Stats is the live state of the node's encryption; empty where it has none.
func (n *Node) Stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	stats := Stats{}
	if n.encryptor != nil {
		stats = n.encryptor.stats()
	}
	stats.Unencrypted = n.strictDrops()
	return stats
}

// hostAddress is the first one of a pod CIDR, which cilium_host holds.
func hostAddress(podCIDR netip.Prefix) netip.Addr { return podCIDR.Masked().Addr().Next() }

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}
}

// neighbour is an entry that never ages, so that nobody asks and nothing flaps. Only such entries are not counted against the
// kernel's limit for all namespaces together (1,024 by default).
func neighbour(device int, ip netip.Addr, mac net.HardwareAddr) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: device, Family: unix.AF_INET, State: unix.NUD_PERMANENT, IP: ip.AsSlice(), HardwareAddr: mac}
}
