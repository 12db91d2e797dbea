
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's0310d39d85a9997c': `vågen`,
's113268220ddf9769': `Barn af to`,
's13f466dc1200537b': str`Og der skete ${0} ting til.`,
's1576938493e66a7d': `En del af det mangler. Scan koden igen, eller vælg dit billede eller din film.`,
's1589ceab6b18fc8b': `Lad den gro igen`,
's1f98219eb79fc084': `hviler, med ar`,
's2132fcfde8c87c9e': `Gartneren`,
's21f0b3497fb00180': str`Rummet er fuldt. ${0} gæst venter før dig.`,
's24f15eba1c59a844': str`${0}, så ${1}`,
's25c392d3f36e4b1d': `heler`,
's2ad3d8db86801111': `Et frø`,
's32a6858a3ed4ec44': str`${0} gammel`,
's32f82ebb02b028d7': `Plant den, når du er tilbage`,
's3600f777e8710f6f': `plantet af gartneren`,
's3fdc6453866ec7c0': `Rummet er fuldt. Du er den næste.`,
's4113b2f6c090f181': `Det, den gror af, kunne ikke hentes. Prøv igen om lidt.`,
's43b93cb842655fdb': `lige plantet`,
's475adfa48074d28e': `Filen indeholder intet frø. Nogle apps fjerner det: vælg filen, som du gemte den.`,
's545db0b26b3d1a64': str`Rummet er fuldt. ${0} gæster venter før dig.`,
's54eeade65b83e82b': `Linket er ikke helt`,
's5aa875c0cc9af8b0': `Denne side kender ikke dette væsens celler. Åbn linket på mindet.`,
's628f9d3415e052a8': `Huset`,
's66a916cde1017912': str`plantet af ${0}`,
's6b5808729ba28a3f': `navnløs`,
's704683c5958e9c5f': `plantet af huset`,
's7814bf80cd3885d3': `plantet af dig`,
's7879f832b2a73274': `Vælg et billede eller en film`,
's8041f53d7dfb76b2': `Lad et minde gro`,
's822a12f086a7d91a': str`${0} sår helet`,
's8c68bc0a1a65d461': `Tilfældets barn`,
's9516ff545e1695cb': `ét sår helet`,
'sa5bc226742558d67': `død`,
'sa73e374cbc26502c': `Den kan ikke gro lige nu`,
'sa8a792da660d0386': `Den gror celle for celle i din egen browser, af frøet i linket.`,
'sb12465c3313390b3': str`og ${0} længere ude`,
'sb7ce768919359466': `vokser`,
'sba52dbfb8d3a60d7': `aldrig såret`,
'sc60adfd1ffc74f3e': `Denne browser kan ikke tegne rummet: den mangler WebGL2. Prøv med en anden browser eller enhed.`,
'sc7f1beea639774c7': `forbinder`,
'sc85f4dd5dc1537a6': str`${0} personer her`,
'scd1dd6ff53d0d01a': `Prøv igen`,
'sd520de695c80a0bf': `Fra en anden have`,
'sd8daaec3c20a386d': `plantet af en gæst`,
'sd99f82acbe5a90d8': str`Og der skete ${0} ting til.`,
'sddac88c3332a3667': `Den eneste af sin slags`,
'sde2070793c53a101': `og ét længere ude`,
'se244b12de4bc253b': `er på vej væk`,
'se2f63fcf854bf554': str`${0} celler`,
'se7b3c7812db47ee6': `hviler`,
'se80e667e86d1bc4d': `En tom skål`,
'sea2ae67c61dea9aa': `forbinder igen`,
'sedb014886c00c32f': str`${0} celle`,
'sefcf950b3cc4fc3b': `Sprog`,
'sf258fb79865d5ffc': str`${0} person her`,
'sfef7fb686039baeb': `Vælg billedet eller filmen, som du tog med hjem, eller åbn linket.`,
    };
  