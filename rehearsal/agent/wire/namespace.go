package wire

import (
	"fmt"
	"os"
	"runtime"

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
		file, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		namespace = &Namespace{file}
		return err
	})
	if err != nil {
		return nil, err
	}
	return namespace, nil
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
