// Loaded into bindfs (LD_PRELOAD): each lstat and statvfs first takes as many milliseconds as the file SLOW_CALLS says; with -1 it
// never returns, and whoever asked cannot be killed. A name after the number: only lstat of files and folders called so, and with -1
// only until the file says something else.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Returns -2 where the file does not mean this path.
static int told(const char *path, char *name) {
  FILE *file = fopen(getenv("SLOW_CALLS"), "r");
  int ms = 0;
  const char *own = strrchr(path, '/');
  name[0] = 0;
  if (file == NULL) return -2;
  if (fscanf(file, "%d %199s", &ms, name) < 1) ms = 0;
  fclose(file);
  return name[0] == 0 || strcmp(own == NULL ? path : own + 1, name) == 0 ? ms : -2;
}

static void wait_as_told(const char *path) {
  char name[200];
  int ms = told(path, name);
  while (ms == -1) {
    if (name[0] == 0) pause();
    usleep(20000);
    ms = told(path, name);
  }
  if (ms > 0) usleep(ms * 1000);
}

#define SLOW(name, type)                                                   \
  int name(const char *path, struct type *found) {                         \
    int (*real)(const char *, struct type *) = dlsym(RTLD_NEXT, #name);    \
    wait_as_told(path);                                                   \
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
