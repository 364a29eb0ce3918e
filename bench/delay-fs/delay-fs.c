/*
 * A read-only mirror of a directory whose every read takes some milliseconds longer.
 *
 *   delay-fs SOURCE MILLISECONDS MOUNTPOINT [FUSE options]
 *
 * The page cache works as for a disk or an NFS mount: what the kernel holds is not read again, and a read of a few bytes brings its
 * page. At the end it prints how many reads there were and how many at once.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* More than any prover has at once. FUSE's own limit of requests that read ahead is 12, which no disk or NFS mount has. */
#define AT_ONCE 256

static const char *source;
static struct timespec delay;
static atomic_long reads, now, most;

static const char *real(const char *path, char out[PATH_MAX]) {
  snprintf(out, PATH_MAX, "%s%s", source, path);
  return out;
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)config;
  connection->max_background = AT_ONCE;
  connection->congestion_threshold = AT_ONCE;
  return NULL;
}

static int fs_getattr(const char *path, struct stat *out, struct fuse_file_info *file) {
  char at[PATH_MAX];
  (void)file;
  return lstat(real(path, at), out) == -1 ? -errno : 0;
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *file,
                      enum fuse_readdir_flags flags) {
  char at[PATH_MAX];
  struct dirent *entry;
  DIR *directory = opendir(real(path, at));
  (void)offset, (void)file, (void)flags;
  if (directory == NULL) return -errno;
  while ((entry = readdir(directory)) != NULL) fill(buffer, entry->d_name, NULL, 0, 0);
  closedir(directory);
  return 0;
}

static int fs_open(const char *path, struct fuse_file_info *file) {
  char at[PATH_MAX];
  int descriptor = open(real(path, at), file->flags & ~O_CREAT);
  if (descriptor == -1) return -errno;
  file->fh = (uint64_t)descriptor;
  return 0;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *file) {
  long at_once = atomic_fetch_add(&now, 1) + 1;
  long before = atomic_load(&most);
  (void)path;
  while (at_once > before && !atomic_compare_exchange_weak(&most, &before, at_once)) {
  }
  atomic_fetch_add(&reads, 1);
  nanosleep(&delay, NULL);
  ssize_t got = pread((int)file->fh, buffer, size, offset);
  int result = got == -1 ? -errno : (int)got;
  atomic_fetch_sub(&now, 1);
  return result;
}

static int fs_release(const char *path, struct fuse_file_info *file) {
  (void)path;
  close((int)file->fh);
  return 0;
}

static int fs_statfs(const char *path, struct statvfs *out) {
  char at[PATH_MAX];
  return statvfs(real(path, at), out) == -1 ? -errno : 0;
}

static const struct fuse_operations operations = {
    .init = fs_init,
    .getattr = fs_getattr,
    .readdir = fs_readdir,
    .open = fs_open,
    .read = fs_read,
    .release = fs_release,
    .statfs = fs_statfs,
};

int main(int count, char **arguments) {
  if (count < 4) {
    fprintf(stderr, "usage: delay-fs SOURCE MILLISECONDS MOUNTPOINT [FUSE options]\n");
    return 2;
  }
  source = arguments[1];
  delay.tv_nsec = atol(arguments[2]) * 1000000L;
  arguments[2] = arguments[0];
  int status = fuse_main(count - 2, arguments + 2, &operations, NULL);
  printf("{\"reads\":%ld,\"mostAtOnce\":%ld}\n", atomic_load(&reads), atomic_load(&most));
  return status;
}
