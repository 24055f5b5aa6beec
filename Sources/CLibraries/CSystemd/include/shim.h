// libsystemd: readiness, watchdog, kept descriptors, native journal entries.
#ifndef POLYBOT_CSYSTEMD_H
#define POLYBOT_CSYSTEMD_H
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#endif
