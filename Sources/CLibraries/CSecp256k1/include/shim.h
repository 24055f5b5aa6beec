// libsecp256k1: signatures of orders and log-ins, and whose they are.
#ifndef POLYBOT_CSECP256K1_H
#define POLYBOT_CSECP256K1_H
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#endif
