package wire

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// plainSender sends IPv4 packets as they are past the encryption, for packets that leak on order.
type plainSender struct{ socket int }

// newPlainSender opens one in the namespace of a node.
func newPlainSender(n *Namespace) (*plainSender, error) {
	sender := &plainSender{}
	err := n.Do(func() (err error) {
		// IPPROTO_RAW: the packet brings its own header.
		if sender.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
			return err
		}
		// The rules of routing.go let marked packets past the encryptor: to node addresses by the main table, to pods by a
		// table of their own. Bound to eth0, no packet can come back to the encryptor, whatever the routes say.
		if err := unix.SetsockoptInt(sender.socket, unix.SOL_SOCKET, unix.SO_MARK, encryptionMark); err != nil {
			return err
		}
		return unix.BindToDevice(sender.socket, cableDevice)
	})
	if err != nil {
		return nil, fmt.Errorf("no raw socket for packets in clear: %w", err)
	}
	return sender, nil
}

// send takes a whole packet, from the IP header on.
func (s *plainSender) send(packet []byte) error {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return errors.New("not an IPv4 packet")
	}
	return unix.Sendto(s.socket, packet, 0, &unix.SockaddrInet4{Addr: [4]byte(packet[16:20])})
}

func (s *plainSender) close() error { return unix.Close(s.socket) }
