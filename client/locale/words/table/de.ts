
    // Do not modify this file by hand!
    // Re-generate this file by running lit-localize

    
    import {str} from '@lit/localize';

    /* eslint-disable no-irregular-whitespace */
    /* eslint-disable @typescript-eslint/no-explicit-any */

    export const templates = {
      's01914176b881a711': `Meine letzte Pfropfung zurücknehmen`,
's0310d39d85a9997c': `wach`,
's113268220ddf9769': `Ein Kind von zweien`,
's13f466dc1200537b': str`Und noch ${0} Dinge sind geschehen.`,
's16cf597ade9000a5': `Scanne den Code oder öffne den Link, und es wächst wieder, in deinem eigenen Browser.`,
's19e076f6b42fb46d': `Dieser Browser kann den Raum nicht zeigen: Ihm fehlt WebGL2. Versuche es mit einem anderen Browser oder Gerät.`,
's2132fcfde8c87c9e': `Der Gärtner`,
's24f15eba1c59a844': str`${0}, dann ${1}`,
's25c392d3f36e4b1d': `heilt`,
's2fba308b347e74d6': `Dieser Tag ist vorbei. Danke und auf Wiedersehen.`,
's32a6858a3ed4ec44': str`${0} alt`,
's3356e9411925fa5c': `Der Raum macht gerade eine kurze Pause.`,
's3600f777e8710f6f': `vom Gärtner gepflanzt`,
's37a9e8aec5713460': `Mehr`,
's3fdc6453866ec7c0': `Der Raum ist voll. Du bist als Nächstes dran.`,
's414b64ab9605d344': `Eine Schale mit lebenden Wesen. Berühre sie, um zu beginnen.`,
's43b93cb842655fdb': `gerade gepflanzt`,
's46c862560a43c96e': str`Der Raum ist voll. ${0} Gäste sind vor dir dran.`,
's4c2251760c5d2c55': str`und ${0} weitere`,
's628f9d3415e052a8': `Das Haus`,
's66a916cde1017912': str`von ${0} gepflanzt`,
's6b5808729ba28a3f': `namenlos`,
's704683c5958e9c5f': `vom Haus gepflanzt`,
's7814bf80cd3885d3': `von dir gepflanzt`,
's82147cb907e3d959': str`Der Raum ist voll. ${0} Gast ist vor dir dran.`,
's822a12f086a7d91a': str`${0} Wunden verheilt`,
's83e48a0a8de13b83': `Ein anderer Bildschirm benutzt die Adresse dieses Tisches. Das kann nur einer.`,
's8c68bc0a1a65d461': `Ein Kind des Zufalls`,
's8e37a9023906283f': `und ein weiteres`,
's9516ff545e1695cb': `eine Wunde verheilt`,
's97bbc8698f704ac9': `ruht, verletzt`,
'sa5bc226742558d67': `tot`,
'sb5617c19799ea15c': `dir`,
'sb7ce768919359466': `wächst`,
'sb9b0683ed20fc0f9': `Der Raum ist gerade nicht erreichbar. Einen Moment bitte.`,
'sba52dbfb8d3a60d7': `nie verletzt`,
'sc26501e3ade7da3c': `Werkzeuge`,
'sc3a4d3774733a9a0': `Schneiden`,
'sc7f1beea639774c7': `verbinde`,
'sc85f4dd5dc1537a6': str`${0} Personen hier`,
'sd49437faddc27406': `Das ist nicht die Adresse eines Tisches. Fügen Sie auf der Seite des Gastgebers einen Tisch hinzu.`,
'sd60a7dde73859828': `Behalten`,
'sd8daaec3c20a386d': `von einem Gast gepflanzt`,
'sd99f82acbe5a90d8': str`Und noch ${0} Sache ist geschehen.`,
'sdb807f49a86b927f': `Einen Raum mit diesem Namen gibt es nicht.`,
'sddac88c3332a3667': `Einzigartig`,
'se244b12de4bc253b': `geht gerade`,
'se2f63fcf854bf554': str`${0} Zellen`,
'se3258f292fd15dc1': `ruht`,
'sea2ae67c61dea9aa': `verbinde wieder`,
'sedb014886c00c32f': str`${0} Zelle`,
'seefb678fe6f067a5': `Pfropfen`,
'sefcf950b3cc4fc3b': `Sprache`,
'sf258fb79865d5ffc': str`${0} Person hier`,
'sf49bba7358d0e156': `Würfel`,
    };
  