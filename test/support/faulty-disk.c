/*
 * A disk that fails on command, for one file and those beside it (-wal, -shm, -journal): preloaded into the daemon, it
 * stands between SQLite and libc. Linux only.
 *
 *   FAULTY_DISK_PATH     files whose path begins with this; a .lock beside them is left alone
 *   FAULTY_DISK_CONTROL  a file that says what fails now, read at each call: write=<errno> fsync=<errno> delay_us=<µs>;
 *                        0 or absent: nothing
 *   FAULTY_DISK_JOURNAL  optional: a line for each call, from which a test knows what a power cut would take
 *
 * A line of the journal: W <offset> <length> <path> | T <size> <path> | B <thread> <path> (a sync begins: what is written
 * after it is not covered) | S <thread> <path> (synced) | F <thread> <path> (failed to)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define PATH_ROOM 4096

static int journal = -2;

/* Whether the open file is one of those that fail; its path goes to `path`. */
static int is_ours(int fd, char *path) {
  const char *prefix = getenv("FAULTY_DISK_PATH");
  char link[64];
  if (prefix == NULL || fd < 3) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_ROOM - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strncmp(path, prefix, strlen(prefix)) != 0) return 0;
  return strcmp(path + strlen(prefix), ".lock") != 0;
}

/* What the control file says for `name`; 0 without a word. */
static long setting(const char *name) {
  const char *control = getenv("FAULTY_DISK_CONTROL");
  char text[256];
  if (control == NULL) return 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return 0;
  text[length] = 0;
  const char *found = strstr(text, name);
  return found == NULL ? 0 : atol(found + strlen(name));
}

static void note(const char *line, int length) {
  const char *file = getenv("FAULTY_DISK_JOURNAL");
  if (file == NULL) return;
  if (journal == -2)
    journal = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal >= 0) syscall(SYS_write, journal, line, length);
}

static int fails(const char *name) {
  long error = setting(name);
  if (error > 0) errno = (int)error;
  return error > 0;
}

static void note_write(const char *path, off_t offset, ssize_t length) {
  char line[PATH_ROOM + 64];
  if (length > 0)
    note(line, snprintf(line, sizeof line, "W %lld %lld %s\n", (long long)offset, (long long)length, path));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  static __typeof__(&pwrite64) real;
  char path[PATH_ROOM];
  if (real == NULL) real = REAL(pwrite64);
  if (!is_ours(fd, path)) return real(fd, bytes, count, offset);
  if (fails("write=")) return -1;
  ssize_t written = real(fd, bytes, count, offset);
  note_write(path, offset, written);
  return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return pwrite64(fd, bytes, count, offset);
}

static int truncate_to(int fd, off64_t size, int (*real)(int, off64_t)) {
  char path[PATH_ROOM];
  char line[PATH_ROOM + 64];
  if (!is_ours(fd, path)) return real(fd, size);
  if (fails("write=")) return -1;
  int result = real(fd, size);
  if (result == 0) note(line, snprintf(line, sizeof line, "T %lld %s\n", (long long)size, path));
  return result;
}

int ftruncate64(int fd, off64_t size) {
  static __typeof__(&ftruncate64) real;
  if (real == NULL) real = REAL(ftruncate64);
  return truncate_to(fd, size, real);
}

int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

static int sync_with(int fd, int (*real)(int)) {
  char path[PATH_ROOM];
  char line[PATH_ROOM + 64];
  if (!is_ours(fd, path)) return real(fd);
  long thread = syscall(SYS_gettid);
  note(line, snprintf(line, sizeof line, "B %ld %s\n", thread, path));
  long delay = setting("delay_us=");
  if (delay > 0) usleep((useconds_t)delay);
  int failed = fails("fsync=");
  int error = errno;
  if (!failed && real(fd) != 0) return -1;
  note(line, snprintf(line, sizeof line, "%c %ld %s\n", failed ? 'F' : 'S', thread, path));
  errno = error;
  return failed ? -1 : 0;
}

int fsync(int fd) {
  static __typeof__(&fsync) real;
  if (real == NULL) real = REAL(fsync);
  return sync_with(fd, real);
}

int fdatasync(int fd) {
  static __typeof__(&fdatasync) real;
  if (real == NULL) real = REAL(fdatasync);
  return sync_with(fd, real);
}
