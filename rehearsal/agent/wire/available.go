package wire

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Available tells why no wire can be had here, in a sentence for people; nil where it can. It tries, in a namespace that is
// gone afterwards, since kernels and containers take away rights in many ways.
func Available() error {
	namespace, err := newNamespace()
	if errors.Is(err, unix.EPERM) {
		return errors.New("this user may not make network namespaces; it takes root, or CAP_SYS_ADMIN with CAP_NET_ADMIN")
	}
	if err != nil {
		return err
	}
	defer namespace.Close()
	return namespace.Do(func() error {
		handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("the kernel does not take network settings: %w", err)
		}
		defer handle.Close()
		for _, link := range []netlink.Link{
			&netlink.Veth{LinkAttrs: named("try0"), PeerName: "try1"},
			&netlink.Bridge{LinkAttrs: named("try2")},
			&netlink.Vxlan{LinkAttrs: named("try3"), VxlanId: tunnelID, Port: tunnelPort},
		} {
			err := handle.LinkAdd(link)
			if errors.Is(err, unix.EPERM) {
				return errors.New("this user may not make network devices; it takes root or CAP_NET_ADMIN")
			}
			if err != nil {
				return fmt.Errorf("this kernel makes no %s device: %w", link.Type(), err)
			}
		}
		return tryTUN()
	})
}

// tryTUN makes a TUN device that goes with its descriptor.
func tryTUN() error {
	file, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("this machine has no TUN devices: %w", err)
	}
	defer file.Close()
	request, err := unix.NewIfreq("try4")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(int(file.Fd()), unix.TUNSETIFF, request); err != nil {
		return fmt.Errorf("this kernel makes no TUN device: %w", err)
	}
	return nil
}
