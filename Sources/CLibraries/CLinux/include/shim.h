// What the Glibc module map leaves out: epoll, eventfd, signalfd, and calls that are macros or variadic.
// Declarations only, and only headers that Glibc's module does not hold: otherwise the order of compilation decides which
// module owns a type such as `stat`, and GNU extensions would make the two disagree about it.
#ifndef POLYBOT_CLINUX_H
#define POLYBOT_CLINUX_H
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/prctl.h>

/// Sets O_NONBLOCK; returns 0 or -1 with errno.
int clinux_set_nonblocking(int fd);

/// Clears FD_CLOEXEC, so that a child inherits `fd`; returns 0 or -1 with errno.
int clinux_keep_on_exec(int fd);

/// Opens with a mode, which the variadic open() cannot do from Swift.
int clinux_open(const char *path, int flags, unsigned mode);

/// The peer of a connected Unix socket; returns 0 or -1 with errno.
int clinux_peer(int fd, int *pid, unsigned *uid, unsigned *gid);

/// The supplementary groups of the peer of a connected Unix socket; returns their number (at most `max`) or -1.
int clinux_peer_groups(int fd, unsigned *groups, int max);

/// Accepts a connection that is not inherited and never blocks; returns it, or -1 with errno.
int clinux_accept(int fd);

int clinux_signalfd(const sigset_t *set);

/// The process's environment: "NAME=value" strings, ended by a null pointer.
char **clinux_environment(void);

/// Keeps memory out of core dumps and other processes' debuggers; returns 0 or -1 with errno.
int clinux_forbid_dumps(void);

/// Raises the soft limit of open files to the hard one; returns the limit that holds then, or -1 with errno.
int64_t clinux_raise_open_files(void);

/// Makes the calling thread the last among equals for a processor's time: nice 19, and it never interrupts another. Returns 0
/// or -1 with errno.
int clinux_stand_back(void);

int clinux_eventfd(void);

/// Number of columns and rows of a terminal; returns 0 or -1.
int clinux_window_size(int fd, int *columns, int *rows);

int clinux_wifexited(int status);

int clinux_exit_status(int status);

int clinux_term_signal(int status);
#endif
