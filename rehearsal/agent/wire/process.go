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
func (n *Namespace) Start(cmd *exec.Cmd) error { return n.StartBeside(cmd, 0) }

// StartBeside is Start in the PID namespace of a companion, a process that runs: the two see each other, and both end with
// the first process there. No companion is 0.
func (n *Namespace) StartBeside(cmd *exec.Cmd, companion int) error {
	requests, err := starter()
	if err != nil {
		return err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// One beside a companion cannot see its parent, which Go takes for the parent's death; it dies with the first process there.
	if companion == 0 {
		cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	}
	// The leader of a session has a group of its own anyway.
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	result := make(chan error)
	requests <- startRequest{n, cmd, companion, result}
	return <-result
}

type startRequest struct {
	namespace *Namespace
	cmd       *exec.Cmd
	companion int // 0: none
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
		if err != nil {
			ready <- err
			return
		}
		ownPIDs, err := os.Open("/proc/self/ns/pid")
		ready <- err
		if err != nil {
			return
		}
		for request := range requests {
			request.result <- request.start()
			// Not to keep the namespace of a pod that goes. The next start enters its own in any case.
			_ = unix.Setns(int(home.Fd()), unix.CLONE_NEWNET)
			_ = unix.Setns(int(ownPIDs.Fd()), unix.CLONE_NEWPID)
		}
	}()
	return requests, <-ready
})

func (r startRequest) start() error {
	if err := unix.Setns(int(r.namespace.fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("the namespace cannot be entered: %w", err)
	}
	if r.companion != 0 {
		pids, err := os.Open(fmt.Sprintf("/proc/%d/ns/pid", r.companion))
		if err != nil {
			return fmt.Errorf("process %d has ended: %w", r.companion, err)
		}
		defer pids.Close()
		// For what this thread starts; the thread itself stays where it is.
		if err := unix.Setns(int(pids.Fd()), unix.CLONE_NEWPID); err != nil {
			return fmt.Errorf("the processes of %d cannot be joined: %w", r.companion, err)
		}
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
