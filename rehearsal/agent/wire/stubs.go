package wire

import (
	"errors"
	"net/netip"
)

// newIPsec is a stand-in until IPsec's own lands: delete this file then.
func newIPsec(*Namespace, netip.Addr) (encryptor, error) { return nil, errors.New("not built yet") }
