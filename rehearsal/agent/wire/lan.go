package wire

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Bridge is the name of the LAN's bridge: the place outside the nodes where everything between them is seen.
const Bridge = "lan0"

// LAN is the network between nodes: one bridge in a namespace of its own.
type LAN struct {
	namespace *Namespace
	handle    *netlink.Handle
	bridge    int // interface index

	// newEncryptor makes what a node encrypts with.
	newEncryptor func(*Node, Encryption) (encryptor, error)

	mu    sync.Mutex
	nodes map[string]*Node // nil once closed
	// cabling serialises changes of cables; losses is what the nftables table holds, empty where there never was one.
	cabling sync.Mutex
	losses  string
}

// NewLAN makes one without nodes.
func NewLAN() (*LAN, error) {
	namespace, err := newNamespace()
	if err != nil {
		return nil, err
	}
	lan := &LAN{namespace: namespace, newEncryptor: newEncryptor, nodes: map[string]*Node{}}
	if err := lan.build(); err != nil {
		return nil, errors.Join(err, lan.Close())
	}
	return lan, nil
}

func (l *LAN) build() (err error) {
	if l.handle, err = l.namespace.handle(); err != nil {
		return err
	}
	noSnooping := false
	bridge := &netlink.Bridge{LinkAttrs: named(Bridge), MulticastSnooping: &noSnooping}
	bridge.HardwareAddr = nodeMAC(outsideMachine)
	if err := l.handle.LinkAdd(bridge); err != nil {
		return fmt.Errorf("the bridge %s: %w", Bridge, err)
	}
	l.bridge = bridge.Index
	return l.handle.LinkSetUp(bridge)
}

// Namespace is where the bridge is.
func (l *LAN) Namespace() *Namespace { return l.namespace }

// Node finds one by name; nil where there is none.
func (l *LAN) Node(name string) *Node {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nodes[name]
}

// AddNode makes a node and plugs it in. The address carries the LAN's prefix length (172.30.0.2/16); the first address of
// the pod CIDR becomes the node's own, until an agent gives it another. So it may overlap with one that an agent gave to another node.
func (l *LAN) AddNode(name string, address, podCIDR netip.Prefix) (*Node, error) {
	if !address.Addr().Is4() || !podCIDR.Addr().Is4() || podCIDR.Bits() > 29 {
		return nil, fmt.Errorf("node %s needs an IPv4 address, and an IPv4 pod CIDR of /29 or wider: not %s and %s", name, address, podCIDR)
	}
	node := &Node{
		lan: l, name: name, address: address, podCIDR: podCIDR.Masked(), port: portName(address),
		pods: map[string]*Pod{},
	}
	node.nextPod = hostAddress(node.podCIDR)
	// Who finds it before it is built waits.
	node.mu.Lock()
	l.mu.Lock()
	if l.nodes == nil {
		l.mu.Unlock()
		node.mu.Unlock()
		return nil, errors.New("the LAN is closed")
	}
	for _, other := range l.nodes {
		if other.name == name || other.address.Addr() == address.Addr() {
			l.mu.Unlock()
			node.mu.Unlock()
			return nil, fmt.Errorf("node %s (%s) clashes with node %s (%s)", name, address, other.name, other.address)
		}
	}
	l.nodes[name] = node
	l.mu.Unlock()
	err := node.build()
	node.mu.Unlock()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("node %s: %w", name, err), l.RemoveNode(name))
	}
	return node, nil
}

// RemoveNode takes a node and its pods away; one that does not exist is no error.
func (l *LAN) RemoveNode(name string) error {
	l.mu.Lock()
	node := l.nodes[name]
	delete(l.nodes, name)
	l.mu.Unlock()
	if node == nil {
		return nil
	}
	var unplugged error
	if link, err := l.handle.LinkByName(node.port); err == nil {
		unplugged = l.handle.LinkDel(link)
	}
	// The next node at that port is not to inherit this one's losses.
	return errors.Join(unplugged, node.close(), l.setCables())
}

// Close takes everything away; a second time does nothing.
func (l *LAN) Close() error {
	l.mu.Lock()
	nodes := l.nodes
	l.nodes = nil
	l.mu.Unlock()
	if nodes == nil {
		return nil
	}
	var problems []error
	for _, node := range nodes {
		problems = append(problems, node.close())
	}
	if l.handle != nil {
		l.handle.Close()
	}
	return errors.Join(append(problems, l.namespace.Close())...)
}

// plug makes the node's cable: eth0 in the node, a port of the bridge at the other end.
func (l *LAN) plug(node *Node) error {
	cable := &netlink.Veth{LinkAttrs: named(node.port), PeerName: cableDevice, PeerNamespace: node.namespace.fd(), PeerHardwareAddr: nodeMAC(node.address.Addr())}
	cable.MasterIndex = l.bridge
	if err := l.handle.LinkAdd(cable); err != nil {
		return fmt.Errorf("its cable %s: %w", node.port, err)
	}
	// The bridge knows from the start who is where, so nothing is flooded to nodes that it is not for.
	if err := l.handle.NeighSet(&netlink.Neigh{
		LinkIndex: cable.Index, Family: unix.AF_BRIDGE, State: unix.NUD_NOARP, Flags: unix.NTF_MASTER, HardwareAddr: nodeMAC(node.address.Addr()),
	}); err != nil {
		return fmt.Errorf("its place on the bridge: %w", err)
	}
	if err := l.handle.LinkSetLearning(cable, false); err != nil {
		return err
	}
	return l.handle.LinkSetUp(cable)
}

func newEncryptor(node *Node, encryption Encryption) (encryptor, error) {
	switch encryption {
	case Wireguard:
		return newWireguard(node.namespace)
	case IPsec:
		return newIPsec(node.namespace, node.address.Addr())
	}
	return nil, fmt.Errorf("%q is no encryption", encryption)
}

// portName is after the host part of the node's address, which is unique and short enough for a device.
func portName(address netip.Prefix) string {
	host := 0
	for i, octet := range address.Addr().AsSlice() {
		host = host<<8 | int(octet)
		if bits := address.Bits() - 8*i; bits > 0 {
			host &= 1<<(8-min(bits, 8)) - 1
		}
	}
	return fmt.Sprintf("port%d", host)
}

func named(name string) netlink.LinkAttrs {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = name
	return attributes
}

// Addresses of devices follow from IP addresses, so that every node knows its peers' without asking.
func nodeMAC(ip netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, ip.AsSlice()...)
}
func tunnelMAC(ip netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x0e, 0x58}, ip.AsSlice()...)
}
