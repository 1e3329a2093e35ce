package wire

// encryptor carries a node's packets to its peers in user space: what the node's routes send into its TUN device leaves the
// node encrypted, and what arrives encrypted comes out of that device.
type encryptor interface {
	// device is the TUN's name; routes and rules send to it what is to be encrypted (routing.go).
	device() string
	// update takes a new datapath and the faults in force; what did not change keeps its sessions and counters.
	update(datapath Datapath, faults []Fault) error
	stats() Stats
	close() error
}

// encryptionMark is on the encryptor's own packets (Cilium's MARK_MAGIC_ENCRYPT family), so that the rules that catch plain
// packets let them out.
const encryptionMark = 0x0e00

// The names of TUN devices: Cilium's for WireGuard. Cilium's IPsec has none, since the kernel does it under eth0; user space needs one.
const (
	wireguardDevice = "cilium_wg0"
	ipsecDevice     = "user_xfrm"
)

// faultFor tells whether a fault of that kind is in force towards that peer.
func faultFor(faults []Fault, kind FaultKind, peer string) bool {
	for _, fault := range faults {
		if fault.Kind == kind && (fault.Peer == "" || fault.Peer == peer) {
			return true
		}
	}
	return false
}
