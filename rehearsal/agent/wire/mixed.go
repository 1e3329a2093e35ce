package wire

import "time"

// leakWindow is for how long a node leaks whose agent starts with another mode: Cilium then deletes its XFRM state or cilium_wg0
// before its BPF programs are loaded anew. Assumed; nobody has measured it on a real cluster.
const leakWindow = 300 * time.Millisecond

// encryptsPods tells what the peer announces for its pods. A node that opts out of node encryption announces key 0 with its
// WireGuard key, and its pods' traffic is encrypted all the same.
func (p Peer) encryptsPods() bool { return p.SPI != 0 || p.PublicKey != [32]byte{} }

// sendsPlain: natively routed, Cilium encrypts to a pod if the pod's node announces a key, whatever that key is for
// (bpf/lib/wireguard.h, bpf/lib/ipsec.h of 1.18 and newer). In a tunnel all of it goes to the encryptor, which drops what is
// for nobody that it knows.
func sendsPlain(datapath Datapath, peer Peer) bool {
	return datapath.PerPeer && !datapath.Tunnel && !peer.encryptsPods()
}

// leaksBetween tells whether a node sends in clear for a while when it changes from one encryption to another. Strict mode's
// check stays loaded all the time. A node that boots has no mode before, and no pods.
func leaksBetween(previous *mode, next mode, datapath Datapath) bool {
	return datapath.PerPeer && previous != nil && previous.encryption != Plain && next.encryption != Plain &&
		previous.encryption != next.encryption && !datapath.Strict.Egress.IsValid()
}

// leakAWhile lets the node's packets out as the routing alone says.
func (n *Node) leakAWhile(previous mode) error {
	inClear := Datapath{Tunnel: previous.tunnel, Peers: n.datapath.Peers, PodRange: n.datapath.PodRange}
	if err := n.install(wiringOf(n.address.Addr(), n.podCIDR, inClear, nil)); err != nil {
		return err
	}
	if err := n.closeEncryptor(); err != nil {
		return err
	}
	time.Sleep(leakWindow)
	return nil
}
