package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"wirecloak/rehearsal/agent/wire"

	corev1 "k8s.io/api/core/v1"
)

// sandbox is a pod that runs on a machine: its place in the network, and its containers.
type sandbox struct {
	pod    *corev1.Pod
	ip     netip.Addr
	nodeIP string
	// where is nil on a node without a wire: then no process runs.
	where   *wire.Namespace
	started time.Time
	// changed tells that there is something to report.
	changed func()
	// leave gives up the place in the network.
	leave func()

	life  context.Context
	end   context.CancelFunc
	runs  sync.WaitGroup
	mu    sync.Mutex
	init  []*container
	main  []*container
	ended bool
	// overdue: activeDeadlineSeconds ended it.
	overdue bool
}

// container is one of a pod's. Its status is guarded by the sandbox's lock.
type container struct {
	spec corev1.Container
	log  containerLog
	// pid is its first process's; 0 while none runs.
	pid    atomic.Int64
	status corev1.ContainerStatus
}

// The wait before a container is started again grows from the one to the other, and begins anew after a good while.
const (
	firstBackOff = time.Second
	lastBackOff  = 5 * time.Minute
	goodWhile    = 10 * time.Minute
)

func newSandbox(pod *corev1.Pod, ip netip.Addr, nodeIP string, where *wire.Namespace) *sandbox {
	s := &sandbox{pod: pod, ip: ip, nodeIP: nodeIP, where: where, started: seconds(time.Now()).Time, changed: func() {}, leave: func() {}}
	if pod.Status.StartTime != nil {
		s.started = pod.Status.StartTime.Time
	}
	s.life, s.end = context.WithCancel(context.Background())
	restarts := restartsOf(pod)
	add := func(specs []corev1.Container, reason string) (all []*container) {
		for _, spec := range specs {
			c := &container{spec: spec, status: corev1.ContainerStatus{Name: spec.Name, Image: spec.Image, RestartCount: restarts}}
			c.status.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason}
			all = append(all, c)
		}
		return all
	}
	waiting := reasonCreating
	if len(pod.Spec.InitContainers) > 0 {
		waiting = "PodInitializing"
	}
	s.init, s.main = add(pod.Spec.InitContainers, waiting), add(pod.Spec.Containers, waiting)
	return s
}

// run plays the pod's life: init containers one after the other, then the others side by side.
func (s *sandbox) run() {
	s.runs.Go(func() {
		for _, c := range s.init {
			policy := s.pod.Spec.RestartPolicy
			if policy == corev1.RestartPolicyAlways {
				policy = corev1.RestartPolicyOnFailure
			}
			if !s.keep(c, policy, true) {
				return
			}
		}
		for _, c := range s.main {
			s.runs.Go(func() { s.keep(c, s.pod.Spec.RestartPolicy, false) })
		}
	})
	if seconds := s.pod.Spec.ActiveDeadlineSeconds; seconds != nil {
		deadline := time.AfterFunc(time.Until(s.started.Add(time.Duration(*seconds)*time.Second)), s.expire)
		context.AfterFunc(s.life, func() { deadline.Stop() })
	}
}

// expire ends a pod whose activeDeadlineSeconds are over.
func (s *sandbox) expire() {
	s.mu.Lock()
	s.overdue = true
	s.mu.Unlock()
	s.finish()
	s.changed()
}

// finish ends all processes and leaves the network. Status and logs stay.
func (s *sandbox) finish() {
	s.end()
	s.runs.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		s.leave()
	}
}

// keep starts a container as often as its policy says, and tells whether it ended well in the end.
func (s *sandbox) keep(c *container, policy corev1.RestartPolicy, isInit bool) bool {
	for delay := firstBackOff; ; delay = min(2*delay, lastBackOff) {
		started := time.Now()
		exit, err := s.runOnce(c, started, isInit)
		if s.life.Err() != nil {
			s.set(c, terminatedBy(c, started, 128+9))
			return false
		}
		if err != nil {
			s.set(c, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "StartError", Message: err.Error()}})
			<-s.life.Done()
			return false
		}
		state := terminatedBy(c, started, exit)
		if policy == corev1.RestartPolicyNever || (policy == corev1.RestartPolicyOnFailure && exit == 0) {
			s.set(c, state)
			return exit == 0
		}
		if time.Since(started) > goodWhile {
			delay = firstBackOff
		}
		s.backOff(c, state, delay)
		select {
		case <-s.life.Done():
			return false
		case <-time.After(delay):
		}
	}
}

// runOnce plays one start of a container. An init container of which nothing is known to run ends well at once.
func (s *sandbox) runOnce(c *container, now time.Time, isInit bool) (exit int, err error) {
	environment := environmentOf(s.pod, c.spec, s.ip, s.nodeIP)
	what := programOf(c.spec, environment, hasProgram)
	idle := len(what.argv) == 0 && what.httpPort == 0
	if s.where == nil {
		fmt.Fprintln(&c.log, errNoWire)
		idle = true
	}
	if idle && isInit {
		return 0, nil
	}
	if !idle && what.httpPort == 0 {
		// Found out before it is called running.
		if _, err := findProgram(what.argv[0]); err != nil {
			return 0, err
		}
	}
	s.set(c, corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: seconds(now)}})
	switch {
	case idle:
		<-s.life.Done()
		return 0, nil
	case what.httpPort != 0:
		return 0, servePage(s.life, s.where, what.httpPort, s.pod, &c.log)
	}
	defer c.pid.Store(0)
	return process{
		where: s.where, argv: what.argv, environment: environment, folder: c.spec.WorkingDir,
		netRaw: mayCapture(c.spec), out: &c.log, errOut: &c.log,
		started: func(pid int) { c.pid.Store(int64(pid)) },
	}.run(s.life)
}

func (s *sandbox) set(c *container, state corev1.ContainerState) {
	s.mu.Lock()
	c.status.State = state
	c.status.Ready = state.Running != nil || (state.Terminated != nil && state.Terminated.ExitCode == 0 && s.isInit(c))
	running := state.Running != nil
	c.status.Started = &running
	if running {
		c.status.ContainerID = containerID(s.pod, c)
	}
	s.mu.Unlock()
	s.changed()
}

func (s *sandbox) backOff(c *container, ended corev1.ContainerState, delay time.Duration) {
	s.set(c, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: reasonCrashLoop, Message: fmt.Sprintf("back-off %s restarting container %s", delay, c.spec.Name),
	}})
	s.mu.Lock()
	defer s.mu.Unlock()
	c.status.LastTerminationState = ended
	c.status.RestartCount++
}

func (s *sandbox) isInit(c *container) bool {
	for _, one := range s.init {
		if one == c {
			return true
		}
	}
	return false
}

func terminatedBy(c *container, started time.Time, exit int) corev1.ContainerState {
	reason := "Completed"
	if exit != 0 {
		reason = "Error"
	}
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: int32(exit), Reason: reason, StartedAt: seconds(started), FinishedAt: seconds(time.Now()), ContainerID: c.status.ContainerID,
	}}
}

func containerID(pod *corev1.Pod, c *container) string {
	return fmt.Sprintf("rehearsal://%s/%s/%d", pod.UID, c.spec.Name, c.status.RestartCount)
}

// find is a container by name; nil where there is none. No name is the first one's.
func (s *sandbox) find(name string) *container {
	for _, c := range append(append([]*container{}, s.main...), s.init...) {
		if name == "" || c.spec.Name == name {
			return c
		}
	}
	return nil
}
