package wire

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Start starts a program in the namespace, in a process group of its own. It dies with this process, and can gain no rights
// that it does not start with.
func (n *Namespace) Start(cmd *exec.Cmd) error {
	requests, err := starter()
	if err != nil {
		return err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	// The leader of a session has a group of its own anyway.
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	result := make(chan error)
	requests <- startRequest{n, cmd, result}
	return <-result
}

type startRequest struct {
	namespace *Namespace
	cmd       *exec.Cmd
	result    chan<- error
}

// starter is one thread that starts all programs, for as long as this process lives: the kernel sends Pdeathsig when the
// thread ends that started a program, not the process.
var starter = sync.OnceValues(func() (chan<- startRequest, error) {
	requests, ready := make(chan startRequest), make(chan error)
	go func() {
		runtime.LockOSThread()
		// Go sets it for no child; what a thread has, its children inherit.
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			ready <- fmt.Errorf("programs cannot be kept from gaining rights: %w", err)
			return
		}
		home, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		ready <- err
		if err != nil {
			return
		}
		for request := range requests {
			request.result <- request.start()
			// Not to keep the namespace of a pod that goes. The next start enters its own in any case.
			_ = unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)
		}
	}()
	return requests, <-ready
})

func (r startRequest) start() error {
	if err := unix.Setns(int(r.namespace.fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("the namespace cannot be entered: %w", err)
	}
	return r.cmd.Start()
}

// nobody is the user and the group of confined programs.
const nobody = 65534

// Confinement takes the rights of this process from a program: containers of a rehearsal are programs of this machine, whose
// etcd is open to local users and must not become their way to root.
type Confinement struct {
	// RawSockets leaves CAP_NET_RAW, for tcpdump and the like.
	RawSockets bool
}

// Confine prepares a program that is not started yet.
func (c Confinement) Confine(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// An empty list of groups takes away those of this process.
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{}}
	cmd.SysProcAttr.AmbientCaps = nil
	if c.RawSockets {
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_RAW}
	}
}
