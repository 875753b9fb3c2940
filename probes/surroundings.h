/* Nothing but the configuration decides how servers are asked: the client libraries of databases
 * look into the environment for what a caller leaves open, some of them for what weakens it. Files
 * in somebody's home are the drivers' to shut out. */
#ifndef ROSTER_PROBES_SURROUNDINGS_H
#define ROSTER_PROBES_SURROUNDINGS_H

/* Takes their variables out of the environment. Before any other thread runs. */
void surroundings_forget(void);

#endif
