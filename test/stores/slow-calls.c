// Loaded into bindfs (LD_PRELOAD): each lstat and statvfs first takes as many milliseconds as the file SLOW_CALLS says; with -1 it
// never returns, and whoever asked cannot be killed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void wait_as_told(void) {
  FILE *file = fopen(getenv("SLOW_CALLS"), "r");
  int ms = 0;
  if (file == NULL) return;
  if (fscanf(file, "%d", &ms) != 1) ms = 0;
  fclose(file);
  while (ms < 0) pause();
  usleep(ms * 1000);
}

#define SLOW(name, type)                                                   \
  int name(const char *path, struct type *found) {                         \
    int (*real)(const char *, struct type *) = dlsym(RTLD_NEXT, #name);    \
    wait_as_told();                                                        \
    return real(path, found);                                              \
  }

SLOW(lstat, stat)
SLOW(lstat64, stat64)
SLOW(statvfs, statvfs)
SLOW(statvfs64, statvfs64)

// As a bindfs that was built with an older libc calls it.
int __lxstat64(int version, const char *path, struct stat64 *found) {
  (void)version;
  return lstat64(path, found);
}
