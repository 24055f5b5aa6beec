import Logging

extension EventCatalogue {
    // MARK: A daemon's life

    static let lifeEntries: [Entry] = [
        Entry(
            "Starting", "starting", .notice, id: "1921ed383e09594f17222ff7314fe07b", by: [.everyDaemon],
            facts: ["version", "pid", "instance", "config"],
            meaning: "A daemon has read its configuration and begins its work."),
        Entry(
            "A setting has no effect", "setting_without_effect", .warning, by: [.everyDaemon],
            meaning: "The configuration holds a value that this version does not use.",
            advice: "Take the setting out of the configuration, or correct it."),
        Entry(
            "Took over the kept listener", "listener_taken_over", .info, by: [.everyDaemon],
            meaning:
                "The service manager kept the daemon's socket over a restart: who tried to connect meanwhile waited."),
        Entry(
            "Started", "started", .info, id: "c88ba6474095cc2dd193799a70f4fd89", by: [.everyDaemon],
            meaning: "The daemon serves its socket. Whether it is of use yet is told by its status line."),
        Entry(
            "Cannot start", "cannot_start", .critical, id: "4e0cad4b062e054a05847532c678e57b", by: [.everyDaemon],
            facts: ["reason", "code"],
            meaning: "The daemon gives up its start and exits with the given code.",
            advice: "Remove the cause that the reason names, then start the unit again."),
        Entry(
            "Ended too often soon after a start, waiting before the next", "start_delayed", .warning,
            id: "473074006a64f89d4e024d56d2c1584d", by: [.unitHook], facts: ["ends", "wait_s"],
            meaning:
                "The daemon's last starts all ended soon and not in order. It waits, for up to 30 s, and tries again.",
            advice: "Read the last lines before each end: the cause stands there, and waiting does not remove it."),
        Entry(
            "A signal for drills has no effect", "drill_ignored", .notice, by: [.everyDaemon],
            meaning: "Somebody sent a signal that only a daemon started for drills obeys."),
        Entry(
            "The loop is stuck on purpose", "drill_stuck", .warning, by: [.everyDaemon],
            meaning: "A drill: the daemon does nothing more, so that the watchdog ends it.",
            advice: "Nothing: the manager must start it again. If it does not, the watchdog is not set."),
        Entry(
            "Threads beside the loop are stuck on purpose", "drill_wedged", .warning, by: [.everyDaemon],
            meaning: "A drill: disk and requests stand still, so that the daemon finds out and its watchdog ends it.",
            advice: "Nothing: the manager must start it again. If it does not, the watchdog is not set."),
        Entry(
            "SIGHUP has no effect: restart to read a new configuration", "sighup_ignored", .notice, by: [.everyDaemon],
            meaning: "The daemon was asked to read its configuration anew, which it does at a start only.",
            advice: "Restart the unit for the new configuration."),
        Entry(
            "Stopping", "stopping", .notice, .critical, id: "e35ae55bddf0e79ebc3abf4aa981ef07", by: [.everyDaemon],
            facts: ["reason", "code"],
            meaning:
                "The daemon stops in order: by a signal or with its parent at notice, of its own accord at critical.",
            advice: "Nothing at notice. At critical, look at the reason: the daemon could not go on."),
        Entry(
            "Stopped", "stopped", .notice, id: "a6331d90c4f1ec8c751acbba5bd00157", by: [.everyDaemon],
            meaning: "Everything is closed; the process ends now."),
        Entry(
            "Stopped at once, not in order", "stopped_at_once", .error, id: "09b94f6c8cdfca0e2f9f614a3ba9eda1",
            by: [.everyDaemon], facts: ["signal"],
            meaning:
                "A second signal ended the daemon in the midst of its stop. Orders may still be open at the venue.",
            advice: "Start the unit again; stratd takes its orders up from its ledger."),
        Entry(
            "The stop took too long and is given up", "stop_gave_up", .critical, id: "5d825f1ff2f44abd7e6eaa17a0c92a7f",
            by: [.everyDaemon], facts: ["limit_s"],
            meaning: "Something did not let go in time and the process ended without it. Orders may still be open.",
            advice: "Start the unit again, and report what the log says before this: it is a bug."),
        Entry(
            "Daemon ended", "daemon_ended", .notice, .error, id: "25a9659182e5c53fc3b6650ca1af6406", by: [.unitHook],
            facts: ["daemon", "result", "status"],
            meaning: "The process of a daemon is gone, and how it ended: the word of the one who saw it last.",
            advice: "Nothing after \"success\". Otherwise read the daemon's last lines; the manager restarts it."),
        Entry(
            "The watchdog is not fed: a part does not advance", "part_stuck", .error,
            id: "74f5328eee1fbaa4c9a6d2f63b8048f2",
            by: [.everyDaemon], facts: ["part"],
            meaning:
                "A thread or a disk has not done for seconds what it was asked for. The manager ends the daemon and starts it again.",
            advice: "Nothing if the restart heals it. If it comes again, look at the disk of the state directory."),
        Entry(
            "A part advances again", "part_advances", .notice, by: [.everyDaemon], facts: ["part"],
            meaning: "What stood still goes on; the manager did not need to end the daemon."),
        Entry(
            "Log lines were lost because nobody took them", "log_lines_lost", .warning,
            id: "3a6da7082eb1d4b5d8596c4126091026", by: [.everyDaemon], facts: ["lines"],
            meaning: "The journal, or who reads the pipe, stood still; so many lines before this one are missing.",
            advice:
                "See whether the journal was restarted or its disk is slow. Counters and journals of orders are whole."),
    ]

    // MARK: Frames

    static let socketEntries: [Entry] = [
        Entry(
            "Connected to a daemon", "daemon_connected", .info, by: [.everyDaemon],
            meaning: "A daemon follows another one's socket, and what it knew before comes anew."),
        Entry(
            "Not connected to a daemon", "daemon_disconnected", .info, by: [.everyDaemon],
            meaning: "The socket of another daemon is gone or silent. It is tried again at least each second.",
            advice: "Nothing while the other one restarts. If it lasts, look at the other unit."),
        Entry(
            "A daemon answered with an error", "daemon_refused", .warning, by: [.everyDaemon],
            meaning: "Another daemon did not take a request, or ends the connection.",
            advice: "Read code and reason. Two versions at a time are the usual cause: restart all units."),
        Entry(
            "The socket was gone and is back in its place", "socket_back", .warning,
            id: "a263f5c655b071e6e159f96d26cb7ebc", by: [.everyDaemon], facts: ["socket"],
            meaning:
                "The file of a daemon's socket had been removed; a new one is there, and who was connected still is.",
            advice: "Find out who removes files in the runtime directory."),
        Entry(
            "The socket is gone from its place and cannot be made anew", "socket_lost", .error,
            id: "adc814339fcfbc8b736b1982ee2b6d10", by: [.everyDaemon], facts: ["socket", "reason"],
            meaning:
                "Nobody new can connect. A service stops and is started anew for its socket; in a terminal it tries on.",
            advice: "Read the reason, and give the runtime directory back to the daemon's user."),
        Entry(
            "Cannot accept connections for a moment", "accept_paused", .warning, by: [.everyDaemon],
            meaning: "The process or the system has no descriptor or memory left for a new connection.",
            advice: "See who connects so often, and raise LimitNOFILE= if they are all wanted."),
        Entry(
            "Refused a connection of another user", "connection_refused", .warning,
            id: "9d7304657cf8d831310fe0609751a91a", by: [.everyDaemon], facts: ["uid", "pid"],
            meaning:
                "A process of another user tried to connect to a daemon that is no service: those are for one user.",
            advice: "Ask why it tried. A service's socket is open to its group instead; see docs/PROTOCOL.md."),
        Entry(
            "Refused a connection, too many are open", "too_many_connections", .warning, by: [.everyDaemon],
            facts: ["open", "uid", "pid", "reason"],
            meaning:
                "A daemon's socket has all the connections that it takes: of everybody, of readers, or of that user. Said for one refusal in a thousand.",
            advice: "End subscribers that are not needed."),
        Entry(
            "Cannot watch a connection", "connection_unwatchable", .error, by: [.everyDaemon],
            meaning: "The system takes no more descriptors into the event loop; the connection was closed.",
            advice: "See the error, and the limit fs.epoll.max_user_watches."),
        Entry(
            "Ended a subscriber's connection", "subscriber_ended", .warning, by: [.everyDaemon],
            meaning: "A subscriber broke the protocol or read too slowly, and was told so.",
            advice: "Read code and reason, and repair the subscriber with that process number."),
        Entry(
            "A subscriber went silent", "subscriber_silent", .warning, by: [.everyDaemon],
            meaning:
                "A subscriber answered no ping in time, or did not end a frame that it began. Its connection was closed.",
            advice: "Look at the process with that number: it hangs or is stopped."),
    ]
}
