/* What a server's error says about the server: one row per error, in one table for all who ask.
 *
 *     probes     at log-in, and in a session that was established: a row of enum answer, from which
 *                follow health, what the verdict makes of it, and how soon it is asked again
 *     libroster  what it says about routing: the end of an enum roster_outcome
 *
 * An error that has no row is the definite answer of a live server: it refuses our account a
 * session (AUTH), or our statement an answer (PRIVILEGE). So it is up, its role is what it was, and
 * it is asked again as any other whose account is refused. What is broken is deliberately a row.
 *
 * PostgreSQL's are SQLSTATEs, or what they begin with; the first row that fits holds. MySQL's and
 * MariaDB's are numbers, the client libraries' own (2000 to 2999, 5000 to 5999) included.
 * tests/lint/errors compares both tables with roster-runbook(7) and libroster(3). One row a
 * line. */
#ifndef ROSTER_REGISTRY_MODEL_SERVER_ERRORS_H
#define ROSTER_REGISTRY_MODEL_SERVER_ERRORS_H

/* clang-format off */

/* code, at log-in, in a session, what it says about routing, meaning */
#define SQLSTATES(ROW)                                                                             \
    ROW("08P01", PROTOCOL, PROTOCOL, OTHER, "a pooler has no server for us, or refuses an option") \
    ROW("08", PROTOCOL, PROTOCOL, REFUSED, "the connection, or the one behind it, failed")         \
    ROW("25006", AUTH, PRIVILEGE, READ_ONLY, "the transaction is read-only")                       \
    ROW("25P03", AUTH, LOST, OTHER, "the session was idle in a transaction for too long")          \
    ROW("25P04", STALLED, STALLED, OTHER, "the transaction took too long")                         \
    ROW("28", AUTH, AUTH, OTHER, "no such account, or a wrong password")                           \
    ROW("3D", AUTH, AUTH, OTHER, "no such database")                                               \
    ROW("40", AUTH, LOST, OTHER, "rolled back: a conflict, also one with recovery")                \
    ROW("42501", AUTH, PRIVILEGE, OTHER, "a privilege is missing")                                 \
    ROW("53", SATURATED, SATURATED, OTHER, "no connection, memory or disk to spare")               \
    ROW("55P03", STALLED, STALLED, OTHER, "a lock was not to be had in time")                      \
    ROW("57014", STALLED, STALLED, OTHER, "cancelled: it took too long")                           \
    ROW("57P01", STOPPING, LOST, REFUSED, "ended by an administrator, or by a shutdown")           \
    ROW("57P02", STOPPING, LOST, REFUSED, "another session crashed")                               \
    ROW("57P03", STARTING, STARTING, REFUSED, "starting up; by its sentence, shutting down")       \
    ROW("57P04", AUTH, LOST, OTHER, "the database was dropped")                                    \
    ROW("57P05", AUTH, LOST, OTHER, "the session was idle for too long")                           \
    ROW("58030", PROTOCOL, PROTOCOL, OTHER, "its storage fails")                                   \
    ROW("XX001", PROTOCOL, PROTOCOL, OTHER, "its data are damaged")                                \
    ROW("XX002", PROTOCOL, PROTOCOL, OTHER, "an index is damaged")

/* likewise */
#define MYSQL_ERRORS(ROW)                                                                          \
    ROW(1040, SATURATED, SATURATED, OTHER, "too many connections")                                 \
    ROW(1041, SATURATED, SATURATED, OTHER, "out of memory")                                        \
    ROW(1044, AUTH, PRIVILEGE, OTHER, "no access to the database")                                 \
    ROW(1045, AUTH, AUTH, OTHER, "wrong user or password")                                         \
    ROW(1047, PROTOCOL, PROTOCOL, REFUSED, "Galera: the node is not ready")                        \
    ROW(1049, AUTH, AUTH, OTHER, "no such database")                                               \
    ROW(1053, STOPPING, LOST, REFUSED, "shutting down")                                            \
    ROW(1077, STOPPING, LOST, OTHER, "a normal shutdown")                                          \
    ROW(1079, STOPPING, LOST, OTHER, "it was shut down")                                           \
    ROW(1129, AUTH, AUTH, OTHER, "the host is blocked after many errors")                          \
    ROW(1130, AUTH, AUTH, OTHER, "the host is not allowed")                                        \
    ROW(1135, SATURATED, SATURATED, OTHER, "cannot create a thread")                               \
    ROW(1142, AUTH, PRIVILEGE, OTHER, "no right to the table")                                     \
    ROW(1143, AUTH, PRIVILEGE, OTHER, "no right to the column")                                    \
    ROW(1152, PROTOCOL, LOST, OTHER, "the connection was aborted")                                 \
    ROW(1158, PROTOCOL, LOST, OTHER, "an error while it read from us")                             \
    ROW(1159, PROTOCOL, LOST, OTHER, "it waited for us for too long")                              \
    ROW(1160, PROTOCOL, LOST, OTHER, "an error while it wrote to us")                              \
    ROW(1161, PROTOCOL, LOST, OTHER, "it waited for too long to write to us")                      \
    ROW(1184, AUTH, AUTH, OTHER, "the log-in was aborted, by what init_connect does")              \
    ROW(1203, SATURATED, SATURATED, OTHER, "max_user_connections")                                 \
    ROW(1205, STALLED, STALLED, OTHER, "a lock was not to be had in time")                         \
    ROW(1213, AUTH, LOST, OTHER, "rolled back: a deadlock")                                        \
    ROW(1226, SATURATED, SATURATED, OTHER, "a limit of the account")                               \
    ROW(1227, AUTH, PRIVILEGE, OTHER, "no right to the statement")                                 \
    ROW(1251, AUTH, AUTH, OTHER, "the way to log in is too old")                                   \
    ROW(1290, AUTH, PRIVILEGE, READ_ONLY, "read-only, by an option")                               \
    ROW(1317, STALLED, STALLED, OTHER, "interrupted")                                              \
    ROW(1370, AUTH, PRIVILEGE, OTHER, "no right to the routine")                                   \
    ROW(1524, AUTH, AUTH, OTHER, "a plugin is not loaded")                                         \
    ROW(1698, AUTH, AUTH, OTHER, "access denied, no password asked for")                           \
    ROW(1792, AUTH, PRIVILEGE, READ_ONLY, "the transaction is read-only")                          \
    ROW(1820, AUTH, AUTH, OTHER, "the password must be changed")                                   \
    ROW(1836, AUTH, PRIVILEGE, READ_ONLY, "read-only")                                             \
    ROW(1862, AUTH, AUTH, OTHER, "the password has run out")                                       \
    ROW(1874, AUTH, PRIVILEGE, READ_ONLY, "InnoDB is read-only")                                   \
    ROW(1881, AUTH, PRIVILEGE, READ_ONLY, "recovery of InnoDB is forced")                          \
    ROW(1927, STOPPING, LOST, OTHER, "MariaDB: the session was killed")                            \
    ROW(1969, STALLED, STALLED, OTHER, "MariaDB: max_statement_time")                              \
    ROW(2002, PROTOCOL, PROTOCOL, REFUSED, "cannot connect; the socket's error decides")           \
    ROW(2003, PROTOCOL, PROTOCOL, REFUSED, "cannot connect; the socket's error decides")           \
    ROW(2004, PROTOCOL, PROTOCOL, OTHER, "no socket to be had; the socket's error decides")        \
    ROW(2006, PROTOCOL, LOST, REFUSED, "the server has gone away")                                 \
    ROW(2008, UNKNOWN, UNKNOWN, OTHER, "no memory to be had on our side")                          \
    ROW(2013, PROTOCOL, LOST, REFUSED, "the connection was lost")                                  \
    ROW(2026, TLS, TLS, OTHER, "the encryption failed")                                            \
    ROW(2049, AUTH, AUTH, OTHER, "passwords from before 4.1")                                      \
    ROW(2054, AUTH, AUTH, OTHER, "the way to log in is not known here")                            \
    ROW(2055, PROTOCOL, LOST, REFUSED, "the connection was lost")                                  \
    ROW(2058, AUTH, AUTH, OTHER, "the way to log in cannot be initialized")                        \
    ROW(2059, AUTH, AUTH, OTHER, "the way to log in cannot be loaded")                             \
    ROW(2061, AUTH, AUTH, OTHER, "the way to log in failed")                                       \
    ROW(3024, STALLED, STALLED, OTHER, "max_execution_time")                                       \
    ROW(3032, OFFLINE, OFFLINE, OTHER, "offline_mode")                                             \
    ROW(3100, AUTH, PRIVILEGE, READ_ONLY, "Group Replication: the group does not take it")         \
    ROW(3101, AUTH, PRIVILEGE, OTHER, "Group Replication: rolled back, a conflict")                \
    ROW(3118, AUTH, AUTH, OTHER, "the account is locked")                                          \
    ROW(3159, TLS, TLS, OTHER, "the server insists on encryption")                                 \
    ROW(3169, STOPPING, LOST, OTHER, "the session was killed")                                     \
    ROW(4031, AUTH, LOST, OTHER, "MySQL: the session was idle for too long")                       \
    ROW(4151, AUTH, AUTH, OTHER, "MariaDB: the account is locked")                                 \
    ROW(5010, AUTH, AUTH, OTHER, "the way to log in is not on our list")                           \
    ROW(6400, OFFLINE, OFFLINE, OTHER, "offline_mode, with a reason")

/* clang-format on */

#endif
