package wire

import (
	"net/netip"
)

// Routing tables and rules of a node. The kernel asks its own table of local addresses before all of them (priority 0), and
// the main table after them (32766).
const (
	tableMain = 254
	// tableTunnel says where packets to other nodes' addresses go that are the tunnel's.
	tableTunnel = 200
	// tableMarked says where the encryptor's own packets go, if not where the main table says.
	tableMarked = 201
	// tableNodes says where everything to other nodes' addresses goes.
	tableNodes = 202
	// tableReplies says where packets of the node's own address to pods elsewhere go.
	tableReplies = 203
	// tableGate stops packets to pods elsewhere while the mode changes.
	tableGate = 204
)

// outsideAddress is the gateway to all that is no node: the bridge itself, where packets are seen and go no further.
var (
	outsideAddress = netip.AddrFrom4([4]byte{169, 254, 0, 1})
	outsideMachine = netip.IPv4Unspecified()
)

// wiring is what a datapath and the faults make of a node's routes: plain data, to compare with what is there.
type wiring struct {
	routes   map[destination]route
	rules    map[rule]bool
	contacts map[contact]bool
}

type destination struct {
	table int
	to    netip.Prefix
}

// route without a device throws packets away.
type route struct {
	device string
	via    netip.Addr // invalid: straight to the device
	// source is for packets that the node itself sends and that have no address yet.
	source netip.Addr
}

// rule sends packets to a table. A selector that is zero selects all.
type rule struct {
	priority, table int
	// blackhole throws them away instead.
	blackhole bool
	marked    bool // has the encryption mark
	unmarked  bool
	// tunnelled: UDP to the tunnel's port that this node sends itself, not a pod of it.
	tunnelled bool
	esp       bool
	from      netip.Addr
}

// contact is a peer that a device reaches without asking for its hardware address: on eth0 the node, on the tunnel the
// cilium_host behind it.
type contact struct {
	device string
	ip     netip.Addr
	peer   netip.Addr
}

// mode is the part of a datapath that decides which routes there are; the rest decides who is in them.
type mode struct {
	encryption Encryption
	tunnel     bool
	espInVXLAN bool
}

func modeOf(datapath Datapath) mode {
	// Only IPsec in a tunnel knows the other order.
	espInVXLAN := datapath.ESPInVXLAN && datapath.Tunnel && datapath.Encryption == IPsec
	return mode{datapath.Encryption, datapath.Tunnel, espInVXLAN}
}

// device is where packets go that are to be encrypted.
func (m mode) device() string {
	switch m.encryption {
	case Wireguard:
		return wireguardDevice
	case IPsec:
		return ipsecDevice
	}
	return ""
}

// tunnelIsEncrypted: the packets of the tunnel are encrypted, instead of what is in it.
func (m mode) tunnelIsEncrypted() bool {
	return m.tunnel && m.encryption != Plain && !m.espInVXLAN
}

// wiringOf decides all routes of a node.
func wiringOf(self netip.Addr, podCIDR netip.Prefix, datapath Datapath, faults []Fault) wiring {
	mode, host := modeOf(datapath), hostAddress(podCIDR)
	w := wiring{routes: map[destination]route{}, rules: rulesOf(self, datapath), contacts: map[contact]bool{}}
	if mode.tunnelIsEncrypted() {
		// A packet of the tunnel to an address that is no peer's must not fall through to the main table and leave in clear.
		w.routes[destination{tableTunnel, netip.PrefixFrom(netip.IPv4Unspecified(), 0)}] = route{}
	}
	if datapath.PodRange.IsValid() {
		w.routes[destination{tableMain, datapath.PodRange}] = route{device: cableDevice, via: outsideAddress}
		w.contacts[contact{cableDevice, outsideAddress, outsideMachine}] = true
		// What comes for a pod of this node that is gone must not leave again.
		w.routes[destination{tableMain, podCIDR}] = route{}
	}
	for _, peer := range datapath.Peers {
		if peer.IP != self {
			w.add(peer, host, datapath, faultFor(faults, Leak, peer.Name))
		}
	}
	return w
}

// add routes to one peer.
func (w wiring) add(peer Peer, host netip.Addr, datapath Datapath, leaks bool) {
	mode, node := modeOf(datapath), netip.PrefixFrom(peer.IP, 32)
	w.contacts[contact{cableDevice, peer.IP, peer.IP}] = true

	// Without encryption: through the tunnel to the peer's cilium_host, or straight to the peer.
	inClear := route{device: cableDevice, via: peer.IP}
	pods := ipv4(peer.PodCIDRs)
	if mode.tunnel && len(pods) > 0 {
		inClear = route{device: tunnelDevice, via: hostAddress(pods[0])}
		w.contacts[contact{tunnelDevice, inClear.via, peer.IP}] = true
	}
	forPods := inClear
	if mode.encryption != Plain && !mode.tunnelIsEncrypted() && !leaks && !sendsPlain(datapath, peer) {
		forPods = route{device: mode.device()}
	}
	// What the node says to pods elsewhere comes from its cilium_host, which every mode takes for a pod of the node.
	forPods.source = host
	for _, cidr := range pods {
		w.routes[destination{tableMain, cidr}] = forPods
		if mode.encryption != Plain {
			w.routes[destination{tableMarked, cidr}] = route{device: cableDevice, via: peer.IP}
		}
		if repliesInClear(datapath) && !(datapath.EncryptNodes && peer.EncryptsNodes) {
			w.routes[destination{tableReplies, cidr}] = inClear
		}
	}
	switch {
	case mode.tunnelIsEncrypted() && leaks:
		w.routes[destination{tableTunnel, node}] = route{device: cableDevice}
	case mode.tunnelIsEncrypted():
		w.routes[destination{tableTunnel, node}] = route{device: mode.device()}
	case mode.espInVXLAN && len(pods) > 0:
		w.routes[destination{tableTunnel, node}] = inClear
	}
	if encryptsNodes(datapath) && peer.EncryptsNodes && !leaks {
		w.routes[destination{tableNodes, node}] = route{device: mode.device()}
	}
}

// rulesOf decides which packets ask which table.
func rulesOf(self netip.Addr, datapath Datapath) map[rule]bool {
	mode, rules := modeOf(datapath), map[rule]bool{}
	if mode.espInVXLAN {
		// ESP goes into the tunnel; the tunnel's own packets, which carry the same mark, do not come here again.
		rules[rule{priority: 100, table: tableTunnel, marked: true, esp: true}] = true
	}
	if mode.encryption != Plain {
		// Copies of pods' packets that leak on order.
		rules[rule{priority: 110, table: tableMarked, marked: true}] = true
	}
	if mode.tunnelIsEncrypted() {
		rules[rule{priority: 120, table: tableTunnel, tunnelled: true}] = true
	}
	if encryptsNodes(datapath) {
		rules[rule{priority: 130, table: tableNodes, unmarked: true}] = true
	}
	if repliesInClear(datapath) {
		rules[rule{priority: 140, table: tableReplies, from: self}] = true
	}
	return rules
}

// encryptsNodes: only WireGuard can; Cilium accepts the setting with IPsec and does nothing.
func encryptsNodes(datapath Datapath) bool {
	return datapath.EncryptNodes && datapath.Encryption == Wireguard
}

// repliesInClear: natively routed, WireGuard takes from a peer what comes from its pods only, so that the answers of a node that
// does not encrypt its own traffic go as it came. In a tunnel it sees node addresses alone.
func repliesInClear(datapath Datapath) bool {
	return datapath.Encryption == Wireguard && !datapath.Tunnel
}

func ipv4(prefixes []netip.Prefix) []netip.Prefix {
	var found []netip.Prefix
	for _, prefix := range prefixes {
		if prefix.Addr().Is4() {
			found = append(found, prefix.Masked())
		}
	}
	return found
}
