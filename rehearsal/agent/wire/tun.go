package wire

import (
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// openTUN makes a TUN device in the namespace, up and without an address. It lives as long as the file is open; each read
// is a packet that was routed to it, each write one that came out of it.
func openTUN(namespace *Namespace, name string, mtu int) (*os.File, error) {
	device := &netlink.Tuntap{
		LinkAttrs: netlink.LinkAttrs{Name: name},
		Mode:      netlink.TUNTAP_MODE_TUN,
		// No virtio header: the kernel then hands over whole packets with finished checksums, one at a time.
		Flags:      unix.IFF_NO_PI,
		NonPersist: true,
		Queues:     1,
	}
	err := namespace.Do(func() error {
		if err := netlink.LinkAdd(device); err != nil {
			return err
		}
		if err := netlink.LinkSetMTU(device, mtu); err != nil {
			return err
		}
		return netlink.LinkSetUp(device)
	})
	if err != nil {
		for _, file := range device.Fds {
			file.Close()
		}
		return nil, fmt.Errorf("the TUN device %s cannot be made: %w", name, err)
	}
	return device.Fds[0], nil
}
