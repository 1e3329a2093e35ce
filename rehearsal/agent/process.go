package main

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"syscall"
	"time"

	"wirecloak/rehearsal/agent/wire"
)

// process is a program of this machine that runs in some namespace, without rights there but those that are named.
type process struct {
	where       *wire.Namespace
	argv        []string
	environment map[string]string
	folder      string
	netRaw      bool
	// companion is the process whose PID namespace this one joins; 0: it is the first of its own.
	companion int
	// started, where there is one, hears the process's id.
	started     func(pid int)
	in          io.Reader
	out, errOut io.Writer
}

// errNoWire answers commands in pods of nodes without a wire.
var errNoWire = errors.New("nothing runs in this pod: its rehearsal node has no wire (see the log of wirecloak-agent, or GET /wire on its control socket)")

// run starts the process and waits for its end. It is killed when the context ends or this process does. Without a companion it is
// the first of a PID namespace, so that the kernel ends with it whatever it has started, in the background and in other sessions too.
// The error tells why it could not run; what it told itself is in exit, where a signal counts as with shells.
func (p process) run(ctx context.Context) (exit int, err error) {
	if p.where == nil {
		return 0, errNoWire
	}
	if len(p.argv) == 0 {
		return 0, errors.New("exec: no command")
	}
	path, err := findProgram(p.argv[0])
	if err != nil {
		return 0, err
	}
	command := exec.CommandContext(ctx, path)
	command.Args, command.Env, command.Dir = p.argv, pairsOf(p.environment), p.folder
	if command.Dir == "" {
		command.Dir = "/"
	}
	command.Stdout, command.Stderr = p.out, p.errOut
	// For a client that does not take its output.
	command.WaitDelay = 30 * time.Second
	var input io.WriteCloser
	if p.in != nil {
		// Not as command.Stdin, or the process would not have ended before its input has.
		if input, err = command.StdinPipe(); err != nil {
			return 0, err
		}
	}
	command.SysProcAttr = &syscall.SysProcAttr{}
	if p.companion == 0 {
		command.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	wire.Confinement{RawSockets: p.netRaw}.Confine(command)
	if err := p.where.StartBeside(command, p.companion); err != nil {
		return 0, err
	}
	if p.started != nil {
		p.started(command.Process.Pid)
	}
	if input != nil {
		go func() {
			io.Copy(input, p.in)
			input.Close()
		}()
	}
	err = command.Wait()
	return exitOf(command, err), ctx.Err()
}

func exitOf(command *exec.Cmd, err error) int {
	if command.ProcessState == nil {
		return 1
	}
	status, ok := command.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled():
		return 128 + int(status.Signal())
	case ok && status.Exited():
		return status.ExitStatus()
	case err != nil:
		return 1
	}
	return 0
}
