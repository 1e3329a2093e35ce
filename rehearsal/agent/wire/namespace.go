package wire

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Namespace is a network namespace without a name: it lives as long as this process keeps it open, or a process or a
// device is in it, so that nothing is left behind whatever ends this process.
type Namespace struct{ file *os.File }

// newNamespace makes an empty one with its loopback up.
func newNamespace() (*Namespace, error) {
	var namespace *Namespace
	err := onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("a network namespace cannot be made: %w", err)
		}
		if err := quiet(); err != nil {
			return err
		}
		file, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		namespace = &Namespace{file}
		return err
	})
	if err != nil {
		return nil, err
	}
	return namespace, nil
}

// quiet sets up the namespace of the calling thread before any other device is in it, since devices take over the defaults.
func quiet() error {
	for name, value := range map[string]string{
		// IPv6 would talk by itself on every device; the rehearsal's wire is IPv4.
		"ipv6/conf/all/disable_ipv6":     "1",
		"ipv6/conf/default/disable_ipv6": "1",
		// What arrives encrypted comes in by another device than its answer leaves by.
		"ipv4/conf/all/rp_filter":     "0",
		"ipv4/conf/default/rp_filter": "0",
		// Containers have no privileges, and yet serve port 80 and ping.
		"ipv4/ip_unprivileged_port_start": "0",
		"ipv4/ping_group_range":           "0 2147483647",
	} {
		if err := setKernel(name, value); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the kernel's network settings cannot be changed: %w", err)
		}
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer handle.Close()
	loopback, err := handle.LinkByName("lo")
	if err != nil {
		return err
	}
	return handle.LinkSetUp(loopback)
}

// setKernel writes a setting below /proc/sys/net, in the namespace of the calling thread.
func setKernel(name, value string) error {
	return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0)
}

// handle opens a netlink socket in the namespace: one for each, instead of a process for each change.
func (n *Namespace) handle() (handle *netlink.Handle, err error) {
	err = n.Do(func() error {
		handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	return handle, err
}

// Do runs a function in the namespace. What it opens there, such as sockets and TUN devices, stays there.
func (n *Namespace) Do(work func() error) error {
	return onOwnThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("the namespace cannot be entered: %w", err)
		}
		return work()
	})
}

// fd is how netlink names it.
func (n *Namespace) fd() netlink.NsFd { return netlink.NsFd(n.file.Fd()) }

// Path is where another process of the same user can open the namespace, while this process lives.
func (n *Namespace) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// Close gives it up.
func (n *Namespace) Close() error { return n.file.Close() }

// onOwnThread runs a function on a thread that ends with it, since a thread that changed its namespace fits nobody else.
func onOwnThread(work func() error) error {
	done := make(chan error)
	go func() {
		// Never unlocked: the runtime then ends the thread with the goroutine.
		runtime.LockOSThread()
		done <- work()
	}()
	return <-done
}
