package esp

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"net/netip"
)

// A boot id is a UUID in text; Cilium hashes that many characters of it.
const bootIDLength = 36

// TunnelKey derives the key material of one direction between two nodes from the cluster's pre-shared material, as Cilium does
// (pkg/datapath/linux/ipsec): sender first, so that what one side sends with is what the other receives with, and both
// directions differ. A node that booted again has other keys.
func TunnelKey(preShared []byte, sender, receiver netip.Addr, senderBootID, receiverBootID string) ([]byte, error) {
	if len(senderBootID) < bootIDLength || len(receiverBootID) < bootIDLength {
		return nil, fmt.Errorf("a boot id has %d characters at least; these have %d and %d", bootIDLength, len(senderBootID), len(receiverBootID))
	}
	var input []byte
	input = append(input, preShared...)
	input = append(input, sender.Unmap().AsSlice()...)
	input = append(input, receiver.Unmap().AsSlice()...)
	input = append(input, senderBootID[:bootIDLength]...)
	input = append(input, receiverBootID[:bootIDLength]...)
	if len(preShared) <= sha256.Size {
		hash := sha256.Sum256(input)
		return hash[:len(preShared)], nil
	}
	if len(preShared) > sha512.Size {
		return nil, fmt.Errorf("the key has %d bytes, where at most %d can be derived", len(preShared), sha512.Size)
	}
	hash := sha512.Sum512(input)
	return hash[:len(preShared)], nil
}
