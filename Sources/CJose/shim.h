#include <jansson.h>
#include <jose/jwk.h>
#include <jose/jws.h>
