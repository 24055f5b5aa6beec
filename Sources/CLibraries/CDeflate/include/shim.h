// Deflate of whole buffers, from libdeflate.
#ifndef POLYBOT_CDEFLATE_H
#define POLYBOT_CDEFLATE_H
#include <libdeflate.h>
#endif
