// Deflate and gzip members, from zlib.
#ifndef POLYBOT_CZLIB_H
#define POLYBOT_CZLIB_H
#include <zlib.h>
#endif
